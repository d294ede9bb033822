"""XML, safely: no DTD, no entity, nothing fetched, bounded depth."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, TreeBuilder

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits

_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)[\s/>]")
_PROLOG = re.compile(rb"\A\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*", re.DOTALL)
_CHUNK = 100_000
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def parse(data: bytes) -> Element:
    """The root of an XML file.

    Raises:
        InputRejected: it is not well-formed, brings a DTD or entities, or is nested too deeply.
    """
    from defusedxml.common import DefusedXmlException, DTDForbidden
    from defusedxml.ElementTree import ParseError, XMLParser

    parser = XMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
            # The parser stands at the tag that it has not seen the end of; its text it gives away as it comes.
            limits.at_most("bytes in a tag", start - parser.parser.CurrentByteIndex, limits.MAX_TAG_BYTES)
        root: Element = parser.close()
    except DTDForbidden as error:
        raise InputRejected(
            "has a DTD (<!DOCTYPE …>), which is never read, as it may name files and entities; take the line out"
        ) from error
    except DefusedXmlException as error:
        raise InputRejected(f"has XML that is never read ({type(error).__name__})") from error
    except (ParseError, LookupError, ValueError) as error:
        raise InputRejected(f"is not well-formed XML: {error}") from error
    return root


def root_name(head: bytes) -> str:
    """The local name of the root element in the first bytes of a file; "" where they are no XML."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if head.startswith(mark):
            head = head[len(mark) :].decode(encoding, "ignore").encode()
    found = _ROOT.match(head, match.end() if (match := _PROLOG.match(head)) else 0)
    return found[1].decode("ascii", "ignore") if found else ""


def language(element: Element) -> str | None:
    """The language that the element itself declares."""
    return element.get(_LANG)


def text_of(element: Element | None) -> str | None:
    """All text inside the element, on one line; `None` where there is none."""
    return " ".join("".join(element.itertext()).split()) or None if element is not None else None


class _Bounded(TreeBuilder):
    """Builds the tree, and stops where it is too deep or too large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._nodes = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        self._nodes += 1
        limits.at_most("levels of XML", self._depth, limits.MAX_DEPTH)
        limits.at_most("XML elements", self._nodes, limits.MAX_NODES)
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)
