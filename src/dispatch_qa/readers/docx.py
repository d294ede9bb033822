"""Word documents (DOCX): the paragraphs and tables of the body; headers, notes and comments are left out."""

from __future__ import annotations

import zlib
from io import BytesIO
from xml.etree.ElementTree import Element
from zipfile import BadZipFile, LargeZipFile, ZipFile

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, xml
from dispatch_qa.readers.compose import Fields, compose
from dispatch_qa.readers.guard import refusing
from dispatch_qa.records import Dispatch

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_DELETED = {"del", "moveFrom", "instrText", "delText", "Fallback"}


def sniff(head: bytes) -> bool:
    """Whether a zip file begins here."""
    return head.startswith(b"PK\x03\x04")


def read(name: str, data: bytes) -> list[Dispatch]:
    """A document as one dispatch.

    Raises:
        InputRejected: it is no Word document, is broken, or unpacks to too much.
    """
    errors = (
        BadZipFile,
        LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        LookupError,
        OSError,
    )
    with refusing("a Word document", *errors), ZipFile(BytesIO(data)) as packed:
        limits.at_most("files inside", len(packed.infolist()), limits.MAX_ENTRIES)
        if "word/document.xml" not in packed.namelist():
            raise InputRejected("is a zip file, but no Word document: word/document.xml is not in it")
        root = xml.parse(_unpacked(packed, "word/document.xml"))
        core = xml.parse(_unpacked(packed, "docProps/core.xml")) if "docProps/core.xml" in packed.namelist() else None
    paragraphs = [paragraph for element in root.iter() if (paragraph := _paragraph(element))]
    fields = Fields(language=xml.text_of(core.find(f"{_DC}language")) if core is not None else None)
    return [compose(name, paragraphs, fields)]


def _unpacked(packed: ZipFile, name: str) -> bytes:
    """One file of the zip file. What it says of its own size is not believed: no more than the limit is unpacked."""
    entry = packed.getinfo(name)
    most = min(limits.MAX_EXPANDED_BYTES, max(limits.RATIO_COUNTS_FROM, entry.compress_size * limits.MAX_RATIO))
    with packed.open(entry) as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise InputRejected(
            f"has a file inside, {name}, that unpacks to more than {most:,} bytes: a zip bomb or broken"
        )
    return data


def _paragraph(element: Element) -> str | None:
    """The text of a paragraph, without what tracked changes deleted; `None` where the element is none."""
    if _local(element) != "p" or not element.tag.startswith((_W, _STRICT)):
        return None
    pieces: list[str] = []
    stack = list(reversed(element))
    while stack:
        node = stack.pop()
        name = _local(node)
        if name == "t":
            pieces.append(node.text or "")
        elif name in {"tab", "br", "cr"}:
            pieces.append("\t" if name == "tab" else "\n")
        elif name not in _DELETED and name != "p":
            # A paragraph inside, of a text box, stands by itself.
            stack += reversed(node)
    return "".join(pieces)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
