from __future__ import annotations

import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from bombs import BOMBS
from fuzz_readers import SEED, Watch, mutants, run
from sample_files import pdf, pdf_of_streams, zipped

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, pdf_pages, read_each, read_file
from dispatch_qa.records import Dispatch

SYSTEM = '<!DOCTYPE {0} SYSTEM "{1}">{2}'
ENTITY = '<!DOCTYPE {0} [<!ENTITY x SYSTEM "{1}">]>{2}'
PARAMETER = '<!DOCTYPE {0} [<!ENTITY % x SYSTEM "{1}"> %x;]>{2}'
LAUGHS = '<!DOCTYPE {0} [<!ENTITY y "{1}"><!ENTITY x "&y;&y;&y;">]>{2}'

G2 = '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/"><contentSet><inlineData>&x;</inlineData></contentSet></newsItem>'
DOCUMENTS = {
    "a.nitf": ("nitf", "<nitf><body><body.content><p>&x;</p></body.content></body></nitf>"),
    "a.xml": ("newsItem", G2),
    "a.rss": ("rss", "<rss version='2.0'><channel><item><title>&x;</title></item></channel></rss>"),
    "a.atom": ("feed", "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>&x;</title></entry></feed>"),
}


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.on = False


def watched(watch: Watch, file: Path) -> list[Dispatch]:
    """The file, read under the eyes of the audit hook; its libraries are loaded already, by a first reading."""
    watch.file, watch.on = str(file), True
    try:
        return read_file(file)
    finally:
        watch.on = False


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "doctype", [SYSTEM, ENTITY, PARAMETER, LAUGHS], ids=["system", "entity", "parameter", "laughs"]
)
@pytest.mark.parametrize("target", ["secret", "http://127.0.0.1:9/x", "file:///etc/passwd"])
def test_no_dtd_is_followed(watch: Watch, tmp_path: Path, name: str, doctype: str, target: str) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    target = str(tmp_path / "secret") if target == "secret" else target
    root, document = DOCUMENTS[name]
    (tmp_path / name).write_text(doctype.format(root, target, document), encoding="utf-8")
    with pytest.raises(InputRejected, match=r"has a DTD .* take the line out"):
        watched(watch, tmp_path / name)


def test_a_dtd_inside_a_word_document_is_refused(watch: Watch, tmp_path: Path) -> None:
    body = ENTITY.format("w", "file:///etc/passwd", "<w>&x;</w>")
    (tmp_path / "a.docx").write_bytes(zipped({"word/document.xml": body}))
    with pytest.raises(InputRejected, match="has a DTD"):
        watched(watch, tmp_path / "a.docx")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_dtd_in_another_encoding_is_refused_too(watch: Watch, tmp_path: Path, encoding: str) -> None:
    text = ENTITY.format("nitf", "file:///etc/passwd", DOCUMENTS["a.nitf"][1])
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    with pytest.raises(InputRejected, match="has a DTD"):
        watched(watch, tmp_path / "a.xml")


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.eml", "a.json"])
def test_nothing_that_markup_names_is_fetched(watch: Watch, tmp_path: Path, name: str) -> None:
    markup = (
        '<!DOCTYPE html SYSTEM "http://127.0.0.1:9/x"><html><head><base href="http://127.0.0.1:9/">'
        '<link rel="stylesheet" href="file:///etc/passwd"></head><body><p>The port is open.</p>'
        '<img src="http://127.0.0.1:9/x"><iframe src="file:///etc/passwd"></iframe><xi:include href="/etc/passwd"/>'
        "</body></html>"
    )
    if name == "a.eml":
        markup = f"From: a\nContent-Type: text/html\n\n{markup}"
    elif name == "a.json":
        markup = '{"pubstatus": "usable", "body_xhtml": "<p>The port is open.</p><img src=\'file:///etc/passwd\'>"}'
    (tmp_path / name).write_text(markup, encoding="utf-8")
    assert [found.text for found in watched(watch, tmp_path / name)] == ["The port is open."]


def test_the_watch_sees_what_it_should(watch: Watch, tmp_path: Path) -> None:
    watch.file, watch.on = str(tmp_path / "own"), True
    try:
        with pytest.raises(SystemExit, match="reached for open"):
            (tmp_path / "other").open("w", encoding="utf-8")
        with pytest.raises(SystemExit, match=r"reached for socket\."):
            socket.socket()
    finally:
        watch.on = False


# Zip bombs and their like: the seconds and the memory are measured by `fuzz_readers.py`. Those here are quick to make.
QUICK = [name for name in BOMBS if name not in {"spaces.docx", "twice.pdf", "page.pdf", "letters.pdf", "elements.xml"}]


@pytest.mark.parametrize("name", QUICK)
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    make, reason = BOMBS[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(InputRejected, match=reason):
        read_file(tmp_path / name)


@pytest.mark.parametrize("name", ["page.pdf", "letters.pdf", "spaces.docx"])
def test_a_bomb_of_less_powder_is_refused_by_a_lower_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = {
        "page.pdf": lambda: pdf_of_streams([zlib.compress(b" " * 20_000_000, 9)]),
        "letters.pdf": lambda: pdf_of_streams([zlib.compress(b"BT /F1 11 Tf " + b"(a) Tj " * 600_000 + b"ET", 9)]),
        "spaces.docx": lambda: zipped({"word/document.xml": b"<" + b" " * 20_000_000}),
    }[name]()
    (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(limits, "MAX_EXPANDED_BYTES", 10_000_000)
    monkeypatch.setattr(limits, "PDF_SECONDS", 1)
    with pytest.raises(InputRejected, match=BOMBS[name][1]):
        read_file(tmp_path / name)


def test_a_pdf_cannot_reach_out_of_its_process(tmp_path: Path) -> None:
    for reach, event in (
        ("open('/etc/passwd')", "open"),
        ("open('x', 'w')", "open"),
        ("__import__('socket').socket()", "socket.__new__"),
        ("__import__('subprocess').run(['true'])", "subprocess.Popen"),
        ("__import__('os').system('true')", "os.system"),
    ):
        code = (
            f"import runpy, socket, subprocess; names = runpy.run_path({str(pdf_pages.__file__)!r}, run_name='x')\n"
            f"names['_confine'](10**9); {reach}"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert f"PermissionError: it asks for {event}" in done.stderr


def test_a_pdf_past_its_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough not to fit into what a Python has taken before the limit holds.
    (tmp_path / "a.pdf").write_bytes(pdf([["The port is open."] * 5_000]))
    assert read_file(tmp_path / "a.pdf")
    monkeypatch.setattr(limits, "PDF_MEMORY_BYTES", 1)
    with pytest.raises(InputRejected, match=r"a\.pdf cannot be read as PDF"):
        read_file(tmp_path / "a.pdf")


# Mutants


def test_two_hundred_mutants_are_read_or_refused_by_name(watch: Watch) -> None:
    result = run(200, SEED, watch)
    assert result["read"] + result["rejected"] == 200
    # The mutations are strong enough to break files, and weak enough to get past the first check.
    assert min(result["read"], result["rejected"]) > 40


def test_the_mutants_are_the_same_at_every_run() -> None:
    assert list(mutants(60, 3)) == list(mutants(60, 3))


def test_one_bad_file_among_many_stops_nothing(tmp_path: Path) -> None:
    for name, data in mutants(45, 5):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("The port is open.", encoding="utf-8")
    found = list(read_each([tmp_path]))
    assert len(found) == 46
    assert any(isinstance(result, InputRejected) for _, result in found)
    assert [result[0].text for path, result in found if path.name == "good.txt" and isinstance(result, list)] == [
        "The port is open."
    ]
    ids = [dispatch.id for _, result in found if isinstance(result, list) for dispatch in result]
    assert len(ids) == len(set(ids))
