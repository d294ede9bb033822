"""Plain text, as the wire sends it."""

from __future__ import annotations

import codecs
import re
import unicodedata

from dispatch_qa.errors import InputRejected
from dispatch_qa.language import identify
from dispatch_qa.records import Dispatch

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

# "KIEV, 12 janvier (Reuters) -": a place in capitals, a date, the agency, a dash.
_DATELINE = re.compile(r"\A\s*(?P<dateline>[^\Wa-z\d_][^\n()]{1,60}?)\s*\((?P<agency>[^\W\d_][\w .-]{1,30})\)\s*[-–—]")
_CREDIT = re.compile(
    r"\((?P<credit>(?:Reportage|Rédigé|Reporting|Writing|Bericht|Reporte|Información|Reportaje|Репортаж|Автор)\b[^()\n]+)\)\s*\Z"
)


def sniff(head: bytes) -> bool:
    """Never: any other format is text too."""
    return False


def read_all(dispatch_id: str, data: bytes) -> list[Dispatch]:
    """As `read`; a plain-text file is one dispatch."""
    return [read(dispatch_id, data)]


def read(dispatch_id: str, data: bytes) -> Dispatch:
    """One plain-text file as a dispatch.

    The text is made canonical and otherwise left as it is. Dateline, agency and credit are taken where the
    copy has them in the wire's own form; nothing is invented.

    Raises:
        InputRejected: the file is empty or not text.
    """
    text = canonical(decode(data))
    if not text.strip():
        raise InputRejected("is empty; expected the text of a dispatch")
    dateline = _dateline(text)
    credit = _CREDIT.search(text)
    return Dispatch(
        id=dispatch_id,
        text=text,
        language=identify(text),
        agency=dateline["agency"] if dateline else None,
        dateline=dateline["dateline"].rstrip(" ,") if dateline else None,
        credit=credit["credit"] if credit else None,
    )


def _dateline(text: str) -> re.Match[str] | None:
    found = _DATELINE.search(text)
    return found if found and found["dateline"].split(",")[0].isupper() else None


def decode(data: bytes) -> str:
    """The text in `data`: UTF-8, or UTF-16 with a byte order mark. Raises `InputRejected` for anything else."""
    mark, encoding = next(((bom, name) for bom, name in _BOMS.items() if data.startswith(bom)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise InputRejected(f"is not {encoding.upper()} text: byte {error.start} cannot be read as such") from error
    if "\0" in text:
        raise InputRejected(f"is not text: it holds a NUL at character {text.index(chr(0))}")
    return text


def canonical(text: str) -> str:
    r"""NFC with `\n` line ends; nothing else is touched."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
