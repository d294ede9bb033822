"""NITF, the IPTC's news text in XML."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import xml
from dispatch_qa.readers.compose import Fields, compose, id_of
from dispatch_qa.readers.markup import SILENT, blocks
from dispatch_qa.records import Dispatch


def sniff(head: bytes) -> bool:
    """Whether the root element is that of NITF."""
    return xml.root_name(head) == "nitf"


def read(name: str, data: bytes) -> list[Dispatch]:
    """A file as one dispatch.

    Raises:
        InputRejected: it is no safe, well-formed XML, is not NITF, or has no text.
    """
    root = xml.parse(data)
    if _local(root) != "nitf":
        raise InputRejected(f"is XML, but not NITF: its root element is {_local(root)!r}")
    body, fields = content(root)
    docdata = _find(root, "docdata")
    fields |= _docdata(docdata) if docdata is not None else {}
    doc_id = _attribute(docdata, "doc-id", "id-string")
    fields["version_of"] = doc_id
    fields["language"] = xml.language(root) or _attribute(root, "body", "lang")
    return [compose(id_of(doc_id, name, fields.get("version")), body, Fields(**fields))]


def content(root: Element) -> tuple[list[str], dict[str, str | None]]:
    """The paragraphs of the body, and the fields that stand above it: headline, byline and dateline."""
    head = _find(root, "body.head")
    fields: dict[str, str | None] = {}
    lines: list[str] = []
    if head is not None:
        first = _find(head, "hl1")
        hedline, byline = first if first is not None else _find(head, "hedline"), _find(head, "byline")
        fields["headline"] = xml.text_of(hedline)
        fields["byline"] = ", ".join(blocks(byline)) if byline is not None else None
        fields["dateline"] = xml.text_of(_find(head, "dateline"))
        fields["advisory"] = xml.text_of(_find(head, "note"))
        below = [xml.text_of(element) for element in head.iter() if _local(element) == "hl2"]
        lines = list(filter(None, [fields["headline"], *below, fields["byline"], fields["dateline"]]))
    for part in ("body.content", "body.end"):
        if (element := _find(root, part)) is not None:
            lines += blocks(element, SILENT - {"title"})
    return lines, fields


def _docdata(docdata: Element) -> dict[str, str | None]:
    status, release = docdata.get("management-status"), _attribute(docdata, "date.release", "norm")
    return {
        "slug": _attribute(docdata, "du-key", "key") or _attribute(docdata, "key-list/keyword", "key"),
        "filed_at": _attribute(docdata, "date.issue", "norm"),
        "version": _attribute(docdata, "du-key", "version"),
        "agency": _attribute(docdata, "doc.copyright", "holder"),
        "advisory": _attribute(docdata, "ed-msg", "info"),
        "embargo": release,
        "status": None if status == "embargoed" and release else status,
    }


def _find(root: Element, name: str) -> Element | None:
    """The first element of that local name below `root`."""
    return next((element for element in root.iter() if _local(element) == name), None)


def _attribute(root: Element | None, path: str, name: str) -> str | None:
    for step in path.split("/"):
        root = _find(root, step) if root is not None else None
    return root.get(name) if root is not None else None


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
