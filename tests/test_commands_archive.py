from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from fakes import FakeEmbedder
from test_archive import BRIDGE, PORT
from test_cli import Run

from dispatch_qa import archive, encode, qa, readers

SCHEMA = json.loads(files("dispatch_qa").joinpath("data/answer.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    folder = tmp_path / "wire"
    folder.mkdir()
    (folder / "port.txt").write_text(PORT, encoding="utf-8")
    (folder / "bridge.txt").write_text(BRIDGE, encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    for module in (qa, encode, archive):
        monkeypatch.setattr(module, "load_embedder", lambda *_: FakeEmbedder())
    return Run(tmp_path / "store", capfdbinary)


def test_an_archive_is_added_to_listed_synced_and_removed_from(run: Run, wire: Path) -> None:
    assert run("add", str(wire)) == (0, "", "2 added.\n")
    assert run("add", str(wire)) == (0, "", "2 unchanged.\n")
    code, out, _ = run("list")
    assert (code, [line.split("\t")[0] for line in out.splitlines()]) == (0, ["bridge", "port"])
    (wire / "bridge.txt").unlink()
    (wire / "port.txt").write_text(PORT.replace("mardi", "jeudi"), encoding="utf-8")
    assert run("sync", str(wire)) == (0, "", "1 replaced, 1 removed.\n")
    assert "jeudi" in run("ask", "Le port a rouvert", "-k", "1")[1]
    assert run("remove", "port") == (0, "", "1 removed.\n")
    assert run("list", "--json")[1] == "[]\n"


def test_a_bad_file_is_named_and_leaves_with_4(run: Run, wire: Path) -> None:
    (wire / "bad.txt").write_bytes(b"\x00\x01")
    code, out, err = run("add", str(wire), "--json")
    told = json.loads(out)
    assert code == 4
    assert told["added"] == ["bridge", "port"]
    assert "bad.txt is not text" in err
    assert list(told["failed"]) == [str(wire / "bad.txt")]


def test_an_interrupted_add_says_that_it_can_go_on(run: Run, wire: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "COMMIT_EVERY", 1)
    with monkeypatch.context() as patched:
        read = readers.read_file
        patched.setattr(
            archive, "read_file", lambda file, name: interrupted() if file.stem == "port" else read(file, name)
        )
        code, _, err = run("add", str(wire))
    assert code == 130
    assert err == "Interrupted. What was committed stands; the same command goes on from there.\n"
    assert run("add", str(wire)) == (0, "", "1 added, 1 unchanged.\n")


def test_removing_an_unknown_id_leaves_with_4_and_no_store_with_3(run: Run, wire: Path) -> None:
    assert run("remove", "x")[0] == 3
    run("add", str(wire))
    code, _, err = run("remove", "x")
    assert code == 4
    assert "there is no dispatch 'x'" in err


def test_filters_reach_ask_and_search(run: Run, wire: Path) -> None:
    run("add", str(wire))
    assert run("ask", "port rouvert", "--language", "de")[0] == 1
    assert "bridge" in run("search", "port rouvert", "--folder", str(wire), "--agency", "AFP", "-k", "9")[1]
    code, _, err = run("ask", "port", "--since", "hier")
    assert code == 2
    assert "take a day, as in 2025-01-12" in err


def test_an_answer_is_kept_and_verified(run: Run, wire: Path, tmp_path: Path) -> None:
    run("add", str(wire))
    for name in ("answer.md", "answer.json"):
        code, _, _ = run("ask", "Le port a rouvert", "-k", "1", "--save", str(tmp_path / name))
        assert code == 0
        assert run("verify", str(tmp_path / name))[:2] == (0, "[1] port: stands (letter for letter where it was)\n")
    jsonschema.validate(json.loads((tmp_path / "answer.json").read_text(encoding="utf-8")), SCHEMA)
    (wire / "port.txt").write_text(PORT.replace("mardi", "jeudi"), encoding="utf-8")
    run("sync", str(wire))
    code, out, _ = run("verify", str(tmp_path / "answer.md"), "--json")
    assert (code, json.loads(out)[0]["state"]) == (1, "corrected")


def test_a_store_is_checked_exported_and_imported(run: Run, wire: Path, tmp_path: Path) -> None:
    run("add", str(wire))
    assert run("check") == (0, "all is well\n", "")
    (run.index / "passages.faiss").write_bytes(b"")
    code, out, _ = run("check")
    assert code == 3
    assert "to be mended with --repair: the search index" in out
    assert run("check", "--repair")[1].splitlines()[-1] == "all is well"
    assert run("export", str(tmp_path / "all.dqa"))[0] == 0
    assert run("import", str(tmp_path / "all.dqa"))[0] == 4
    run.index = tmp_path / "second"
    assert run("import", str(tmp_path / "all.dqa"))[0] == 0
    assert run("check")[1] == "all is well\n"
    assert "of this version's format already" in run("migrate")[2]


def test_what_a_first_take_changed_is_a_question_without_an_answer(run: Run, wire: Path) -> None:
    run("add", str(wire))
    code, _, err = run("diff", "port")
    assert code == 4
    assert "first take" in err


def test_watching_ends_with_an_interrupt(wire: Path, tmp_path: Path) -> None:
    script = """
import sys
sys.path.insert(0, sys.argv[1])
from fakes import FakeEmbedder
from dispatch_qa import archive, cli
archive.load_embedder = lambda *_: FakeEmbedder()
sys.exit(cli.main(["watch", sys.argv[2], "--index", sys.argv[3]]))
"""
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(wire), str(tmp_path / "s")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ) as child:
        assert child.stderr is not None
        assert b"Watching" in child.stderr.readline()
        assert child.stderr.readline() == b"2 added.\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert child.stderr.read() == b""


WATCHED = """
import os, sys

def hook(event, given):
    if event == "pickle.find_class":
        os.write(2, f"unpickled: {given}".encode())
        os._exit(9)

sys.addaudithook(hook)
from dispatch_qa.cli import main

wire, store, kept, other = sys.argv[1:]
for command in (
    ["add", wire, "--index", store],
    ["ask", "Quand le port a-t-il rouvert ?", "--index", store, "--since", "2020-01-01"],
    ["search", "port", "--index", store],
    ["remove", "port", "--index", store],
    ["check", "--repair", "--index", store],
    ["export", kept, "--index", store],
    ["import", kept, "--index", other],
    ["build", "--index", other],
):
    if main(command) not in (0, 1):
        sys.exit(8)
"""


@pytest.mark.model
def test_nothing_is_unpickled(wire: Path, tmp_path: Path) -> None:
    given = [str(wire), str(tmp_path / "store"), str(tmp_path / "kept.dqa"), str(tmp_path / "other")]
    done = subprocess.run([sys.executable, "-c", WATCHED, *given], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
