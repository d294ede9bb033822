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
"""Files inside a zip file, entries of a feed, parts of a message."""

MAX_HEADER_LINES = 50_000
MAX_HEADER_CHARS = 5_000
"""Of a message: lines that look like headers, in all, and one header that is read."""

MAX_DEPTH = 100
"""Levels of XML, of JSON and of mail parts."""

MAX_NODES = 500_000
"""Elements of XML and tags of HTML."""

MAX_TAG_BYTES = 1_000_000
"""A single tag or comment of XML."""

MAX_JSON_VALUES = 5_000_000
"""Values in a JSON text, counted by its brackets and commas."""

MAX_MARKUP_CHARS = 10_000_000
"""Characters of HTML."""

MAX_MARKDOWN_CHARS = 300_000
"""Characters of Markdown, whose parser takes longer."""

ARTICLE_MAX_CHARS = 2_000_000
ARTICLE_MAX_TAGS = 20_000
"""The largest page in which the article is looked for; of a larger one all text is taken."""

MAX_DISPATCHES = 100_000
"""Dispatches in one file."""

MAX_TEXT_CHARS = 20_000_000
"""Characters of one dispatch."""

MAX_PAGES = 5_000
"""Pages of a PDF file."""

PDF_MEMORY_BYTES = 1_000_000_000
PDF_SECONDS = 3
PDF_SECONDS_A_PAGE = 0.25
"""What reading a PDF file may use: of computing, so much, and so much more for every page that is done."""

PDF_PATIENCE_SECONDS = 600
"""By the clock, at most; the only limit of time on Windows."""


def at_most(what: str, count: int, limit: int) -> None:
    """Raise `InputRejected` where `count` is more than `limit`; `what` says of what, as in "bytes"."""
    if count > limit:
        raise InputRejected(f"has {count:,} {what}; at most {limit:,} are read")
