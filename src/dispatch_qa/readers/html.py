"""Web pages: the article alone, without menus and comments."""

from __future__ import annotations

import re

from dispatch_qa.readers import limits, text
from dispatch_qa.readers.compose import Fields, compose
from dispatch_qa.readers.guard import refusing
from dispatch_qa.readers.markup import blocks, html_paragraphs
from dispatch_qa.records import Dispatch

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_LANGUAGE = re.compile(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([\w-]{2,12})", re.IGNORECASE)
_BEGINS = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


def sniff(head: bytes) -> bool:
    """Whether a page begins here."""
    return _BEGINS.match(head) is not None


def read(name: str, data: bytes) -> list[Dispatch]:
    """A page as one dispatch: the article that trafilatura finds or, where it finds none, all its text.

    Raises:
        InputRejected: the page is too long or has no text.
    """
    import trafilatura
    from lxml.etree import LxmlError
    from trafilatura.settings import Document

    page = _decoded(data)
    language = _LANGUAGE.search(page[:10_000])
    whole = Fields(language=language and language[1])
    # Looking for the article takes time that grows faster than the page.
    if len(page) > limits.ARTICLE_MAX_CHARS or page.count("<") > limits.ARTICLE_MAX_TAGS:
        return [compose(name, html_paragraphs(page), whole)]
    with refusing("HTML", LxmlError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        article = trafilatura.bare_extraction(
            page,
            include_comments=False,
            deduplicate=False,
            with_metadata=True,
            # Only a date that the page states: its search through the words takes seconds and guesses.
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    # Its body is a tree in which nothing is left that is not text.
    if not isinstance(article, Document) or not (body := blocks(article.body, silent=frozenset())):
        return [compose(name, html_paragraphs(page), whole)]
    # A page's title often goes on with the site's name.
    title = body[0] if (article.title or "").startswith(body[0]) else article.title
    fields = Fields(
        headline=title,
        byline=article.author,
        filed_at=article.date,
        language=language[1] if language else article.language,
    )
    return [compose(name, body, fields)]


def _decoded(data: bytes) -> str:
    """The page's text, in the encoding that it names itself, else as plain text."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) and (named := _CHARSET.search(data[:4_096])):
        try:
            return data.decode(named[1].decode("ascii"))
        except (LookupError, UnicodeError):
            pass
    return text.decode(data)
