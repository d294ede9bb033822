"""What a file may cost, in one place. A file past a limit is refused, by name and with the figure."""

from __future__ import annotations

from dispatch_qa.errors import InputRejected

MAX_FILE_BYTES = 50_000_000
"""The file as it lies on disk."""


def at_most(what: str, count: int, limit: int) -> None:
    """Raise `InputRejected` where `count` is more than `limit`; `what` says of what, as in "bytes"."""
    if count > limit:
        raise InputRejected(f"has {count:,} {what}; at most {limit:,} are read")
