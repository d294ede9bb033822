"""Marked-up text to paragraphs: the blocks of HTML, XHTML and NITF, each on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits

_words = re.compile(r"\S+").findall
_INLINE = frozenset(
    _words(
        "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q ruby s samp small span"
        " strike strong sub sup time tt u var wbr"
        # What trafilatura makes of them
        " hi ref"
        # NITF's enriched text
        " chron city classifier copyrite copyrite.holder copyrite.year country county day-of-year denom event"
        " frac function lang location money month name.family name.given num numer object.title org person postaddr"
        " pronounce region state story.date sublocation virtloc"
    )
)
SILENT = frozenset(_words("script style head template noscript iframe object svg math title meta link media figure"))
_SPACE = re.compile(r"[ \t\r\n\f]+")


def html_paragraphs(markup: str) -> list[str]:
    """The paragraphs of an HTML page or of a piece of one.

    Raises:
        InputRejected: it cannot be read as HTML, or is too long.
    """
    from lxml import etree

    if not markup.strip():
        return []
    limits.at_most("characters of HTML", len(markup), limits.MAX_MARKUP_CHARS)
    limits.at_most("tags of HTML", markup.count("<"), limits.MAX_NODES)
    # UTF-8 bytes, because a string may declare an encoding that is no longer its own.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputRejected(f"cannot be read as HTML: {error}") from error
    return blocks(root) if root is not None else []


def blocks(root: Any, silent: frozenset[str] = SILENT) -> list[str]:
    r"""The text of every block below `root`, an element of ElementTree or lxml, in order; `br` is a line end.

    White space is joined as a browser joins it. Elements named in `silent` are left out.
    """
    found: list[str] = []
    run: list[str] = []
    for piece in _pieces(root, silent):
        if piece is not None:
            run.append(piece)
        elif run:
            lines = (_SPACE.sub(" ", line).strip(" ") for line in "".join(run).split("\v"))
            if block := "\n".join(line for line in lines if line):
                found.append(block)
            run = []
    return found


def _pieces(root: Any, silent: frozenset[str]) -> Iterator[str | None]:
    """Pieces of text, `None` where a block begins or ends; a vertical tab stands for a line end that is meant."""
    # An own stack: the depth of the markup is the file's choice, the depth of Python's stack is not.
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if node is None or isinstance(node, str):
            yield node
            continue
        name = _local(node)
        inline = name in _INLINE
        after: list[Any] = [] if inline else [None]
        inner: list[Any]
        if name in {"br", "lb"}:
            after, inner = [], ["\v"]
        elif name in silent or not isinstance(node.tag, str):
            after, inner = [], []
        elif name in {"td", "th", "cell"}:
            after, inner = [], [" ", *_inside(node), " "]
        else:
            inner = _inside(node) if inline else [None, *_inside(node)]
        tail = [node.tail.replace("\v", " ")] if node.tail and node is not root else []
        stack += reversed([*inner, *after, *tail])
    yield None


def _inside(node: Any) -> list[Any]:
    return [(node.text or "").replace("\v", " "), *node]


def _local(node: Any) -> str:
    """An element's name without its namespace."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""
