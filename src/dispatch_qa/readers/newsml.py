"""NewsML-G2, the IPTC's news exchange in XML: single items and messages that carry many.

IPTC's own library was tried and left: it hands the file to a parser that reads DTDs, opens catalogue files that the
copy names, and does not read the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, nitf, xml
from dispatch_qa.readers.compose import Fields, compose, id_of
from dispatch_qa.readers.markup import blocks
from dispatch_qa.records import Dispatch

_ROOTS = {"newsItem", "newsMessage"}
_G2 = "{http://iptc.org/std/nar/2006-10-01/}"


def sniff(head: bytes) -> bool:
    """Whether the root element is that of an item or of a message."""
    return xml.root_name(head) in _ROOTS


def read(name: str, data: bytes) -> Iterator[Dispatch]:
    """The news items of a file that have text.

    Raises:
        InputRejected: it is no safe, well-formed XML, is not NewsML-G2, or no item has text.
    """
    root = xml.parse(data)
    if root.tag not in {_G2 + name for name in _ROOTS}:
        raise InputRejected(f"is XML, but not NewsML-G2: its root element is {root.tag!r}")
    items = [root] if root.tag == _G2 + "newsItem" else root.findall(f"{_G2}itemSet/{_G2}newsItem")
    limits.at_most("items", len(items), limits.MAX_DISPATCHES)
    for number, item in enumerate(items, start=1):
        # A message brings pictures too.
        if len(items) == 1 or _body(item)[0] or _status(item) == "canceled":
            yield _dispatch(name if len(items) == 1 else f"{name}:{number}", item)


def _dispatch(name: str, item: Element) -> Dispatch:
    meta, about = item.find(f"{_G2}itemMeta"), item.find(f"{_G2}contentMeta")
    body, inside = _body(item)
    headline = _text(about, "headline") or inside.get("headline")
    advisory = _text(meta, "edNote")
    # A cancelling may come without the copy: it is kept, so that what it cancels is.
    body = body or [line for line in (headline, advisory) if line]
    if not body:
        raise InputRejected("has no text: neither inline content nor a headline")
    guid, version = item.get("guid"), item.get("version")
    fields = Fields(
        slug=_text(about, "slugline"),
        headline=headline,
        byline=_text(about, "by") or inside.get("byline"),
        dateline=_text(about, "dateline") or inside.get("dateline"),
        located=_text(about, "located", "name"),
        agency=_named(meta, "provider"),
        credit=_text(about, "creditline"),
        language=_attribute(about, "language", "tag") or xml.language(item),
        filed_at=_text(meta, "versionCreated"),
        version=version,
        version_of=_evolved_from(item) or guid,
        status=_status(item),
        embargo=_text(meta, "embargoed"),
        advisory=advisory,
    )
    return compose(id_of(guid, name, version), body, fields)


def _body(item: Element) -> tuple[list[str], dict[str, str | None]]:
    """The paragraphs of the first inline content that has any, and what NITF inside has above them."""
    for part in item.findall(f"{_G2}contentSet/*"):
        if part.tag == f"{_G2}inlineXML":
            for inner in part:
                lines, above = nitf.content(inner) if inner.tag.endswith("nitf") else (blocks(inner), {})
                if lines:
                    return lines, above
        elif part.tag == f"{_G2}inlineData" and (text := "".join(part.itertext()).strip()):
            return [text], {}
    return [], {}


def _status(item: Element) -> str | None:
    """The public status, which is "usable" where none is written; a correction that is usable is "corrected"."""
    meta = item.find(f"{_G2}itemMeta")
    status = _attribute(meta, "pubStatus", "qcode") or _attribute(meta, "pubStatus", "uri") or "usable"
    status = status.replace("/", ":").rpartition(":")[2]
    signals = [signal.get("qcode", "") for signal in meta.findall(f"{_G2}signal")] if meta is not None else []
    corrects = any(signal.rpartition(":")[2] in {"correction", "cor"} for signal in signals)
    return "corrected" if corrects and status == "usable" else status


def _evolved_from(item: Element) -> str | None:
    """The item that this one goes on from, as its links say."""
    for link in item.findall(f"{_G2}itemMeta/{_G2}link"):
        if link.get("rel", "").rpartition(":")[2] in {"evolvedFrom", "previousVersion"}:
            return link.get("residref") or link.get("href")
    return None


def _child(root: Element | None, *path: str) -> Element | None:
    return root.find("/".join(_G2 + name for name in path)) if root is not None else None


def _text(root: Element | None, *path: str) -> str | None:
    return xml.text_of(_child(root, *path))


def _attribute(root: Element | None, name: str, attribute: str) -> str | None:
    found = _child(root, name)
    return found.get(attribute) if found is not None else None


def _named(root: Element | None, name: str) -> str | None:
    """A party's name, else the last part of its code."""
    code = _attribute(root, name, "qcode") or _attribute(root, name, "literal") or ""
    return _text(root, name, "name") or code.rpartition(":")[2] or None
