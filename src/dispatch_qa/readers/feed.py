"""RSS and Atom: every entry of a feed as a dispatch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, xml
from dispatch_qa.readers.compose import Fields, compose, id_of
from dispatch_qa.readers.guard import refusing
from dispatch_qa.readers.markup import html_paragraphs
from dispatch_qa.records import Dispatch


def sniff(head: bytes) -> bool:
    """Whether the root element is that of RSS or Atom."""
    return xml.root_name(head) in {"rss", "feed", "RDF"}


def read(name: str, data: bytes) -> Iterator[Dispatch]:
    """The entries of a feed, in its order.

    Raises:
        InputRejected: it is no safe, well-formed XML, or has no entry with a text.
    """
    import feedparser

    # feedparser mends what is broken by guessing; what is not well-formed is refused here before it can.
    root = xml.parse(data)
    entries = sum(element.tag.rpartition("}")[2] in {"item", "entry"} for element in root.iter())
    limits.at_most("entries", entries, limits.MAX_ENTRIES)
    with refusing("a feed", ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        feed = feedparser.parse(BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    if not feed.entries:
        raise InputRejected("is a feed without entries" if feed.get("version") else "is XML, but no feed")
    language = feed.feed.get("language")
    for number, entry in enumerate(feed.entries, start=1):
        try:
            yield _dispatch(f"{name}:{number}", entry, language)
        except InputRejected as error:
            raise InputRejected(f"entry {number}: {error}") from error


def _dispatch(name: str, entry: Any, language: str | None) -> Dispatch:
    contents = [content for content in entry.get("content", []) if content.get("value")]
    body = contents[0]["value"] if contents else entry.get("summary", "")
    headline = " ".join(html_paragraphs(entry.get("title", "")))
    # Not by the entry's own `get`, which mistakes one date for the other.
    when = dict.get(entry, "updated_parsed") or dict.get(entry, "published_parsed")
    fields = Fields(
        headline=headline,
        byline=entry.get("author"),
        language=(contents[0].get("language") if contents else None) or language,
        filed_at=datetime(*when[:6]).replace(tzinfo=UTC).isoformat() if when else None,
    )
    return compose(id_of(entry.get("id") or entry.get("link"), name), html_paragraphs(body) or [headline], fields)
