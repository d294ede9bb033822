"""Plain text, as the wire sends it."""

from __future__ import annotations

import codecs

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers.compose import canonical as canonical  # the evaluation reads its sets the same way
from dispatch_qa.readers.compose import checked, compose
from dispatch_qa.records import Dispatch

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_OLD_ENCODINGS = ["cp1252", "cp1251", "koi8_u"]
"""Of western Europe and of Ukraine, before UTF-8."""

MIN_BYTES_TO_TELL = 16
"""In less, one old encoding is as likely as another."""

_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")


def read(dispatch_id: str, data: bytes) -> Dispatch:
    """One plain-text file as a dispatch.

    The text is made canonical and otherwise left as it is. The wire's own fields are taken where the copy has
    them in the wire's own form; nothing is invented.

    Raises:
        InputRejected: the file is empty or not text.
    """
    return compose(dispatch_id, decode(data))


def decode(data: bytes) -> str:
    """The text in `data`: UTF-8, UTF-16 with a byte order mark, or an encoding of old that fits it.

    Raises:
        InputRejected: it is none of them, or not text.
    """
    mark, encoding = next(((bom, name) for bom, name in _BOMS.items() if data.startswith(bom)), (b"", "utf-8"))
    try:
        return checked(data[len(mark) :].decode(encoding))
    except UnicodeDecodeError as error:
        if not mark and len(data) >= MIN_BYTES_TO_TELL and not _CONTROLS.intersection(data[:10_000_000]):
            from charset_normalizer import from_bytes

            if best := from_bytes(data, cp_isolation=_OLD_ENCODINGS).best():
                return str(best)
        raise InputRejected(
            f"is not {encoding.upper()} text: byte {error.start} cannot be read as such; save it as UTF-8"
        ) from error
