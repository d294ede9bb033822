"""What the page asks of whoever answers it: the four questions, and nothing of how they are answered.

The page's methods are called from many threads at once. `DispatchQA` has the same names; who serves the page
puts a pool of them, or one and a lock, behind this.

The browser itself fetches four more things from the server that the page is mounted in, as JSON: `GET /page/dispatch`
and `POST /page/why`, which `page.mount` adds, and `POST /api/v1/feedback` for a thumb on a passage (question,
dispatch_id, start, end, relevant), which the server adds.
"""

from __future__ import annotations

from typing import Protocol

from dispatch_qa.records import Answer, Dispatch, Filter, Hit, Info


class Desk(Protocol):
    """Answers questions about one store. Safe to call from several threads."""

    def ask(self, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
        """The answer, with at most `k` citations, from what `where` lets through. Raises `DispatchQAError`."""
        ...

    def search(self, question: str, k: int | None = None, where: Filter | None = None) -> list[Hit]:
        """The `k` best passages, best first, with the parts of their scores. Raises as `ask`."""
        ...

    def show(self, dispatch_id: str) -> Dispatch:
        """The dispatch of that id. Raises `InputRejected` where there is none."""
        ...

    def info(self) -> Info:
        """What the store holds; `passages` is 0 where it is empty."""
        ...
