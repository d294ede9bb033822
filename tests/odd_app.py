"""The real app, slowed down and with little room: `python tests/odd_app.py SECONDS WAITING`."""

from __future__ import annotations

import sys
import time

from dispatch_qa import Answer
from dispatch_qa.cli import main
from dispatch_qa.records import Filter
from dispatch_qa.web import page
from dispatch_qa.web.pool import Pool

if __name__ == "__main__":
    prompt = Pool.ask

    def late(self: Pool, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
        """The real answer, later."""
        time.sleep(float(sys.argv[1]))
        return prompt(self, question, k, where)

    page.AT_ONCE, page.WAITING = 1, int(sys.argv[2])
    Pool.ask = late  # type: ignore[method-assign]
    sys.exit(main(["serve"]))
