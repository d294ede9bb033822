"""A desk's day: a folder of every format, good and broken, added, updated, corrected, withdrawn, synced and asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fakes import FakeEmbedder
from test_cli import Run

from dispatch_qa import archive, encode, qa

SAMPLES = Path(__file__).parent / "samples"
ROOT = "ODESSA-PORT\n\nODESSA, 3 mai (AFP) - Le port a rouvert mardi.\n\nIl était fermé depuis mars.\n"
UPDATE = (
    "ODESSA-PORT\n\nACTUALISATION 1-Le port a rouvert\n(Corrige le jour)\n\n"
    "ODESSA, 3 mai (AFP) - Le port a rouvert jeudi.\n\nIl était fermé depuis mars.\n"
)


def item(version: str, status: str, text: str) -> str:
    told = {"uri": "urn:crane", "version": version, "pubstatus": status, "slugline": "CRANE", "body_text": text}
    return json.dumps(told)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    for module in (qa, encode, archive):
        monkeypatch.setattr(module, "load_embedder", lambda *_: FakeEmbedder())
    return Run(tmp_path / "store", capfdbinary)


def test_a_desks_day(run: Run, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    shutil.copytree(SAMPLES, desk)
    formats = {path.suffix for path in desk.iterdir()}
    assert {".txt", ".html", ".pdf", ".docx", ".eml", ".rss", ".atom", ".jsonl", ".json", ".xml"} <= formats
    (desk / "port.txt").write_text(ROOT, encoding="utf-8")
    (desk / "crane.json").write_text(item("1", "usable", "A red crane fell onto the quay on Sunday."), encoding="utf-8")
    broken = {"bad.txt": b"\0\1", "bad.pdf": b"%PDF-1.7 nothing", "bad.docx": b"PK\3\4", "bad.json": b"{"}
    for name, data in broken.items():
        (desk / name).write_bytes(data)

    code, out, err = run("add", str(desk), "--json")
    told = json.loads(out)
    assert code == 4
    assert {Path(name).name for name in told["failed"]} == set(broken)
    assert all(name in err for name in broken)
    files = {path.name for path in SAMPLES.iterdir()} | {"port.txt", "crane.json"}
    listed = json.loads(run("list", "--json")[1])
    assert {Path(one["source"]).name for one in listed} == files
    assert run("check")[1] == "all is well\n"

    # Asked, and kept.
    code, out, _ = run("ask", "ODESSA : le port a rouvert mardi", "-k", "1", "--save", str(tmp_path / "port.md"))
    assert (code, "Le port a rouvert mardi" in out) == (0, True)
    assert "red crane" in run("ask", "red crane fell onto the quay on Sunday", "-k", "1")[1]

    # Updated and corrected by the wire; a file changed, one gone, and the broken ones cleared away.
    for name in broken:
        (desk / name).unlink()
    (desk / "port-1.txt").write_text(UPDATE, encoding="utf-8")
    (desk / "port.fr.pdf").unlink()
    changed = (desk / "port.de.md").read_text(encoding="utf-8") + "\nEin Nachtrag vom Abend kam noch hinzu.\n"
    (desk / "port.de.md").write_text(changed, encoding="utf-8")
    code, _, err = run("sync", str(desk))
    assert (code, err.startswith("1 added, 1 replaced, 1 removed, ")) == (0, True)
    assert "jeudi" in run("ask", "ODESSA (AFP) le port a rouvert", "-k", "1")[1]
    assert "Nachtrag" in run("ask", "Nachtrag vom Abend", "-k", "1")[1]
    code, out, _ = run("verify", str(tmp_path / "port.md"))
    assert (code, "port: corrected (port-1, version 1, took its place" in out) == (1, True)
    assert "+ ODESSA, 3 mai (AFP) - Le port a rouvert jeudi." in run("diff", "port-1")[1]

    # Withdrawn by the wire.
    kill = item("2", "canceled", "STORY WITHDRAWN. No crane fell.")
    (desk / "crane-2.json").write_text(kill, encoding="utf-8")
    assert run("sync", str(desk))[0] == 0
    out = run("ask", "red crane fell onto the quay on Sunday", "-k", "1")[1]
    assert "red crane" not in out
    assert "Left out: urn:crane@1 (withdrawn by the wire)." in out
    assert run("check")[1] == "all is well\n"
