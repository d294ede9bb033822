"""Markdown: the text as a reader sees it, without the marks."""

from __future__ import annotations

import re

from dispatch_qa.readers import limits, text
from dispatch_qa.readers.compose import Fields, compose
from dispatch_qa.readers.guard import refusing
from dispatch_qa.readers.markup import html_paragraphs
from dispatch_qa.records import Dispatch

_FRONT = re.compile(
    r"\A---[ \t]*\n(?P<lines>(?:(?!---[ \t]*$).*\n){0,100}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE
)
_PAIR = re.compile(r"(?P<name>[\w-]+)[ \t]*:[ \t]*(?P<value>.*\S)[ \t]*\Z")
_NAMES = {
    "title": "headline",
    "headline": "headline",
    "author": "byline",
    "byline": "byline",
    "date": "filed_at",
    "lang": "language",
    "language": "language",
    "slug": "slug",
    "version": "version",
    "status": "status",
    "embargo": "embargo",
    "agency": "agency",
}


def read(name: str, data: bytes) -> list[Dispatch]:
    """A file as one dispatch; simple `name: value` lines between two `---` at the top give its fields.

    Raises:
        InputRejected: the file is no text, is too long, or is empty.
    """
    from markdown_it import MarkdownIt

    source = text.canonical(text.decode(data))
    limits.at_most("characters of Markdown", len(source), limits.MAX_MARKDOWN_CHARS)
    front = _FRONT.match(source)
    fields = _fields(front["lines"]) if front else {}
    with refusing("Markdown", ValueError, LookupError, RecursionError):
        page = MarkdownIt("commonmark").enable("table").render(source[front.end() :] if front else source)
    return [compose(name, html_paragraphs(page), Fields(**fields))]


def _fields(lines: str) -> dict[str, str | None]:
    pairs = [pair for line in lines.splitlines() if (pair := _PAIR.match(line))]
    named = [(_NAMES.get(pair["name"].lower()), pair["value"].strip("\"'")) for pair in pairs]
    return {field: value for field, value in named if field}
