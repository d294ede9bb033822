"""PDF: the text of its pages, and where each page begins."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, pdf_pages
from dispatch_qa.readers.compose import canonical, compose
from dispatch_qa.records import Dispatch

_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:(?:page|seite|página|стор\.?)\s*)?\d{1,4}(?:\s*(?:/|of|sur|von|de|з)\s*\d{1,4})?[-–—\s]*", re.I
)
_ENDS = re.compile(r"[.!?…:][\"'”»“)\]]*\Z")


def sniff(head: bytes) -> bool:
    """Whether a PDF begins here."""
    return head.lstrip().startswith(b"%PDF-")


def read(name: str, data: bytes) -> list[Dispatch]:
    """A file as one dispatch. Each page begins at its offset in `pages`, empty pages included.

    Lines that the page only broke for want of room are joined. Page numbers at the edges of pages are left out.

    Raises:
        InputRejected: it is no PDF, is locked, has no text, or takes too much time or memory.
    """
    text, starts = "", []
    for page in _pages(data):
        paragraphs = _paragraphs(canonical(page))
        if paragraphs and text:
            # A sentence may go on over the page.
            text += "\n\n" if _ENDS.search(text) else "\n"
        starts.append(len(text))
        text += "\n\n".join(paragraphs)
    if not text.strip():
        raise InputRejected(f"holds no text on its {len(starts)} pages: they are pictures; run OCR on the file first")
    found = compose(name, text)
    # NFC is kept when texts are joined by line ends, so the offsets hold.
    return [replace(found, pages=tuple(min(start, len(found.text)) for start in starts))]


def _pages(data: bytes) -> list[str]:
    """The text of every page, taken by a process of its own."""
    allowed = {
        "memory": limits.PDF_MEMORY_BYTES,
        "seconds": limits.PDF_SECONDS,
        "seconds_a_page": limits.PDF_SECONDS_A_PAGE,
        "expanded": limits.MAX_EXPANDED_BYTES,
        "pages": limits.MAX_PAGES,
        "characters": limits.MAX_TEXT_CHARS,
    }
    command = [sys.executable, "-I", str(pdf_pages.__file__), json.dumps(allowed)]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=limits.PDF_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputRejected(f"cannot be read as PDF: not done in {limits.PDF_PATIENCE_SECONDS:,} seconds") from error
    if done.returncode == 0:
        return [json.loads(line) for line in done.stdout.splitlines()]
    raise InputRejected(f"cannot be read as PDF: {_reason(done.returncode, done.stderr)}")


def _reason(code: int, stderr: bytes) -> str:
    if code == -getattr(signal, "SIGXCPU", 0):
        return "a page takes too long; it is broken or made to stall"
    if code < 0:
        return f"its reader was ended by signal {-code}"
    last = stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    if any("MemoryError" in line for line in last):
        return f"it takes more than {limits.PDF_MEMORY_BYTES:,} bytes of memory"
    return "".join(char if char.isprintable() else " " for char in (last or ["no reason given"])[0])[:200]


def _paragraphs(page: str) -> list[str]:
    """The paragraphs of a page, each on one line: a short line that ends a sentence ends its paragraph."""
    lines = [line.strip() for line in page.split("\n")]
    while lines and (not lines[0] or _PAGE_NUMBER.fullmatch(lines[0])):
        lines.pop(0)
    while lines and (not lines[-1] or _PAGE_NUMBER.fullmatch(lines[-1])):
        lines.pop()
    full = max(map(len, lines), default=0) * 3 // 4
    paragraphs, run = [], ""
    for line in lines:
        if run and line[:1].islower() and run.endswith("-") and run[-2:-1].isalpha():
            run = run[:-1] + line  # "exam-" "ple"
        else:
            run = f"{run} {line}".strip()
        if run and (not line or (len(line) < full and _ENDS.search(line))):
            paragraphs.append(run)
            run = ""
    return [*paragraphs, run] if run else paragraphs
