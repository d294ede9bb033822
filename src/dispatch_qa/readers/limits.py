"""What a file may cost, in one place. A file past a limit is refused, by name and with the figure."""

from __future__ import annotations

from dispatch_qa.errors import InputRejected

MAX_FILE_BYTES = 50_000_000
"""The file as it lies on disk."""

MAX_EXPANDED_BYTES = 50_000_000
"""What a compressed file unpacks to."""

MAX_RATIO = 100
"""How many times its size a compressed part may unpack to, from `RATIO_COUNTS_FROM` bytes on."""

RATIO_COUNTS_FROM = 1_000_000

MAX_ENTRIES = 10_000
"""Files inside a zip file."""

MAX_DEPTH = 100
"""Levels of XML, of JSON and of mail parts."""

MAX_NODES = 2_000_000
"""Elements of XML."""

MAX_DISPATCHES = 100_000
"""Dispatches in one file."""

MAX_TEXT_CHARS = 20_000_000
"""Characters of one dispatch."""

MAX_PAGES = 5_000
"""Pages of a PDF file."""


def at_most(what: str, count: int, limit: int) -> None:
    """Raise `InputRejected` where `count` is more than `limit`; `what` says of what, as in "bytes"."""
    if count > limit:
        raise InputRejected(f"has {count:,} {what}; at most {limit:,} are read")
