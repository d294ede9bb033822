"""The real app, slowed down and with little room: `python tests/odd_app.py SECONDS WAITING`."""

from __future__ import annotations

import os
import sys
import time

from dispatch_qa import Answer, Settings
from dispatch_qa.web import page, start


class SlowDesk(start.LockedDesk):
    """Answers as the real one does, later."""

    def ask(self, question: str, k: int | None = None) -> Answer:
        time.sleep(float(sys.argv[1]))
        return super().ask(question, k)


if __name__ == "__main__":
    page.AT_ONCE = 1
    page.WAITING = int(sys.argv[2])
    start.serve(Settings.from_env(), port=int(os.environ["DISPATCH_QA_PORT"]), desk_type=SlowDesk)
