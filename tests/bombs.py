"""Small files that unfold into large work: `python tests/bombs.py FILE` reads one and says what it cost.

Each must be refused. `fuzz_readers.py` runs them all and writes the seconds and the memory down.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sample_files import pdf_of_streams, zipped

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import read_file

_W = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
_PARTS = b"--a\nContent-Type: multipart/mixed; boundary=a\n\n"
_MAIL = b"From: a\nContent-Type: multipart/mixed; boundary=a\n\n"
_LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (c + 1, b"&%c;" % c * 50) for c in b"abcdefghijkl")

Bomb = tuple[Callable[[], bytes], str]
"""What makes the file, and what the refusal says."""

BOMBS: dict[str, Bomb] = {
    # A zip file of 0.4 MB that unpacks to 400 MB.
    "spaces.docx": (lambda: zipped({"word/document.xml": b"<" + b" " * 400_000_000}), "a zip bomb"),
    "elements.docx": (lambda: zipped({"word/document.xml": _W + b"<w:p/>" * 4_000_000}), "a zip bomb"),
    "entries.docx": (lambda: zipped({str(number): "" for number in range(60_000)}), "60,000 files inside"),
    "deep.docx": (lambda: zipped({"word/document.xml": _W + b"<w:p>" * 150_000}), "levels of XML"),
    # A page of 1 MB that unpacks to 1 GB, and one of 5 KB, packed twice, that unpacks to 3 GB.
    "page.pdf": (lambda: pdf_of_streams([zlib.compress(b" " * 1_000_000_000, 9)]), "Limit reached while decompressing"),
    "twice.pdf": (
        lambda: pdf_of_streams([_twice(3_000_000_000)], "[/FlateDecode /FlateDecode]"),
        "Limit reached while decompressing",
    ),
    "letters.pdf": (
        lambda: pdf_of_streams([zlib.compress(b"BT /F1 11 Tf " + b"(a) Tj " * 6_000_000 + b"ET", 9)]),
        "a page takes too long",
    ),
    "pages.pdf": (lambda: pdf_of_streams([zlib.compress(b"BT ET")] * 6_000), "6,000 pages"),
    "laughs.xml": (lambda: b'<!DOCTYPE nitf [<!ENTITY a "ha">' + _LAUGHS + b"]><nitf>&m;</nitf>", "has a DTD"),
    "attributes.xml": (
        lambda: b"<nitf " + b" ".join(b"a%d='x'" % number for number in range(3_000_000)) + b"/>",
        "bytes in a tag",
    ),
    "deep.xml": (lambda: b"<nitf>" * 8_000_000, "levels of XML"),
    "elements.xml": (lambda: b"<nitf><body><body.content>" + b"<p/>" * 12_000_000, "XML elements"),
    "entries.rss": (lambda: b"<rss><channel>" + b"<item/>" * 50_000 + b"</channel></rss>", "50,000 entries"),
    "lists.json": (lambda: b"[" + b"[]," * 16_000_000 + b"[]]", "JSON values"),
    "deep.json": (lambda: b'{"uri":' * 500_000, "nested too deeply"),
    "tags.html": (lambda: b"<p>" * 3_300_000, "tags of HTML"),
    "markup.json": (
        lambda: b'{"pubstatus":"usable","body_xhtml":"' + b"<p>" * 16_000_000 + b'"}',
        "characters of HTML",
    ),
    "parts.eml": (lambda: _MAIL + _PARTS * 900_000, "parts"),
    "levels.eml": (lambda: _MAIL + _PARTS * 5_000, "levels of parts"),
    "subject.eml": (lambda: b"From: a\nSubject: " + b"=?utf-8?q?a?= " * 300_000 + b"\n\nx", "characters in Subject"),
    "header.eml": (lambda: b"From: a\n" + b"X: y\n" * 3_000_000 + b"\n\nx", "header lines"),
    "lines.jsonl": (lambda: b'{"text":"a"}\n' * 3_000_000, "3,000,001 lines"),
    "lines.txt": (lambda: b"\n" * 49_000_000 + b"x", "49,000,001 characters"),
    "long.md": (lambda: b"a\n" * 990_000, "characters of Markdown"),
}


def _twice(zeros: int) -> bytes:
    """Zeros, packed and packed again, without ever holding them all."""
    inner, outer = zlib.compressobj(9), zlib.compressobj(9)
    chunk = bytes(10_000_000)
    packed = [outer.compress(inner.compress(chunk)) for _ in range(zeros // len(chunk))]
    return b"".join([*packed, outer.compress(inner.flush()), outer.flush()])


def measure(name: str) -> dict[str, Any]:
    """What the refusal of one bomb costs a fresh process, the reading of its libraries included."""
    data, reason = BOMBS[name][0](), BOMBS[name][1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(data)
        command = [sys.executable, __file__, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    cost: dict[str, Any] = json.loads(done.stdout)
    assert reason in cost["refused"], cost
    return {"bytes": len(data), **cost}


def main(file: Path) -> None:
    """Read `file` and print the cost."""
    started = time.perf_counter()
    try:
        found = read_file(file)
    except InputRejected as error:
        refused = str(error).removeprefix(f"{file} ")
    else:
        raise SystemExit(f"{file} was read: {len(found)} dispatches")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Not `ru_maxrss` of the process itself, which begins with that of the process that started it.
    own_kb = int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))[0])
    cost = {
        "seconds": round(time.perf_counter() - started, 2),
        "computing_s": round(sum(usage.ru_utime + usage.ru_stime for usage in used), 2),
        "peak_mb": max(own_kb, used[1].ru_maxrss) // 1_000,
        "refused": refused,
    }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
