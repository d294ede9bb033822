from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fakes import FakeEmbedder, FakeReader

from dispatch_qa import Dispatch, Settings, cli, encode, qa
from dispatch_qa.calibration import Calibration
from dispatch_qa.reader.evidence import Evidence

SCHEMA = json.loads(files("dispatch_qa").joinpath("data/answer.schema.json").read_text(encoding="utf-8"))
REPO = Path(__file__).parent.parent


class Run:
    """Runs the command line in this process, with the fake model and a store of the shipped dispatch."""

    def __init__(self, index: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.index = index
        self.capture = capture

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = cli.main([*arguments, "--index", str(self.index)])
        out, err = self.capture.readouterr()
        return code, out.decode(), err.decode()


@pytest.fixture
def run(fake_store: Settings, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    for module in (qa, encode):
        monkeypatch.setattr(module, "load_embedder", lambda *_: FakeEmbedder())
    return Run(fake_store.index, capfdbinary)


def process(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "dispatch_qa", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env=os.environ | environment, check=False)


def test_ask_prints_quotes_with_their_place(run: Run) -> None:
    code, out, err = run("ask", "fabricants britanniques Babcock International Group", "-k", "1")
    assert (code, err) == (0, "")
    assert "Babcock International Group et BAE Systems" in out
    assert "dispatch.fr, paragraph 6, characters 1212–1482 · fits" in out


def test_the_words_that_answer_lead_unless_no_reader_is_wanted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence(FakeReader(), Calibration(slope=0, bias=0, threshold=0.5, here=1))
    monkeypatch.setattr(qa, "load_evidence", lambda *_: evidence)
    monkeypatch.delenv("DISPATCH_QA_READER", raising=False)
    question = "fabricants britanniques Babcock International Group"
    _, out, _ = run("ask", question, "-k", "1")
    assert out.startswith("Cette [1]\n\n[1] Cette semaine, Kiev")
    assert "answers with probability 0.9" in out
    _, out, _ = run("ask", question, "-k", "1", "--no-reader")
    assert out.startswith("[1] Cette semaine, Kiev")
    assert "answer" not in out


def test_ask_json_fits_its_schema_and_its_source(run: Run, dispatch: Dispatch) -> None:
    code, out, _ = run("ask", "armes occidentales", "--json")
    answer = json.loads(out)
    jsonschema.validate(answer, SCHEMA)
    assert code == 0
    for citation in answer["citations"]:
        assert dispatch.text[citation["start"] : citation["end"]] == citation["quote"]


def test_a_refusal_fits_the_schema_and_leaves_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch_qa.calibration import Calibration

    monkeypatch.setattr(qa, "load_calibration", lambda _: Calibration(slope=1, bias=-50, threshold=0.5))
    code, out, _ = run("ask", "armes occidentales", "--json")
    answer = json.loads(out)
    jsonschema.validate(answer, SCHEMA)
    assert code == 1
    assert (answer["supported"], answer["citations"], len(answer["nearest"])) == (False, [], 3)
    assert run("ask", "armes occidentales")[0] == 1


def test_the_threshold_decides_what_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch_qa.calibration import Calibration

    monkeypatch.setattr(qa, "load_calibration", lambda *_: Calibration(slope=0, bias=0, threshold=0.5))
    assert run("ask", "armes occidentales", "--threshold", "0.5")[0] == 0
    assert run("ask", "armes occidentales", "--threshold", "0.51")[0] == 1
    monkeypatch.setenv("DISPATCH_QA_THRESHOLD", "0.51")
    assert run("ask", "armes occidentales")[0] == 1
    assert run("ask", "armes occidentales", "--threshold", "0.4")[0] == 0
    assert "under a probability of 0.51" in run("info")[1]


@pytest.mark.parametrize("change", [{"supported": "yes"}, {"citations": []}, {"extra": 1}, {"confidence": 1.5}])
def test_the_schema_refuses_what_is_wrong(run: Run, change: dict[str, Any]) -> None:
    answer = json.loads(run("ask", "armes", "--json")[1])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer | change, SCHEMA)


def test_questions_from_a_file_give_a_line_of_json_each(run: Run, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_bytes("armes\n\n  \nconférence à Kiev\n".encode())
    code, out, _ = run("ask", "--questions", str(questions))
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [answer["question"] for answer in answers] == ["armes", "conférence à Kiev"]
    for answer in answers:
        jsonschema.validate(answer, SCHEMA)


def test_a_bad_line_is_reported_by_number_and_the_others_are_answered(run: Run, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_bytes(b"armes\n???\n\xff\xfe\nKiev\n")
    code, out, err = run("ask", "--questions", str(questions))
    assert code == 4
    assert len(out.splitlines()) == 2
    assert "line 2: the question holds no word" in err
    assert "line 3: the question is not text" in err


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "a", "--questions", "-"], ["ask", "a", "-k", "0"], ["frob"]])
def test_usage_errors_leave_with_2(arguments: list[str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.main(arguments) == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert b"Usage: dispatch-qa" in err


@pytest.mark.parametrize("question", ["", "   ", "x" * 2001, "?!"])
def test_a_rejected_question_leaves_with_4_and_one_line(run: Run, question: str) -> None:
    code, out, err = run("ask", question)
    assert (code, out) == (4, "")
    assert err.startswith("dispatch-qa: the question ")
    assert err.count("\n") == 1


def test_a_missing_store_leaves_with_3_and_the_command_to_type(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["ask", "armes", "--index", str(tmp_path / "none")]) == 3
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert f"dispatch-qa build --index {tmp_path / 'none'}" in err.decode()
    assert err.count(b"\n") == 1


def test_search_explains_its_scores(run: Run) -> None:
    code, out, _ = run("search", "armes", "--explain", "-k", "2")
    assert code == 0
    assert out.count("score: passage ") == 2
    hits = json.loads(run("search", "armes", "--json")[1])["hits"]
    assert set(hits[0]["parts"]) == {"dense", "sentence", "lexical", "here"}


def test_show_prints_the_text_itself(run: Run, dispatch: Dispatch) -> None:
    assert run("show", "dispatch.fr") == (0, dispatch.text + "\n", "")
    shown = json.loads(run("show", "dispatch.fr", "--json")[1])
    assert (shown["text"], shown["sha256"], shown["language"]) == (dispatch.text, dispatch.sha256, "fr")


def test_show_of_an_unknown_id_leaves_with_4(run: Run) -> None:
    code, _, err = run("show", "nothing")
    assert code == 4
    assert "there are: dispatch.fr" in err


def test_info_in_words_and_in_json(run: Run) -> None:
    assert "passages    11" in run("info")[1]
    assert json.loads(run("info", "--json")[1])["dispatches"] == ["dispatch.fr"]


def test_build_and_ask_an_archive_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wire.txt").write_text("Le port d'Odessa a rouvert mardi.\n\nIl était fermé.", encoding="utf-8")
    run.index = tmp_path / "mine"
    code, out, err = run("build", str(tmp_path / "wire.txt"))
    assert (code, out, err) == (0, "", f"Built {run.index}: 1 dispatch.\n")
    assert "Le port d'Odessa a rouvert mardi." in run("ask", "port d'Odessa")[1]


@pytest.mark.parametrize(("content", "complaint"), [(b"", "is empty"), (b"\x00\x01", "is not text")])
def test_build_of_a_bad_file_leaves_with_4(run: Run, tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "bad.txt").write_bytes(content)
    run.index = tmp_path / "mine"
    code, _, err = run("build", str(tmp_path / "bad.txt"))
    assert code == 4
    assert f"bad.txt {complaint}" in err
    assert not (run.index / "dispatches.sqlite").exists()


def test_colour_only_where_it_is_asked_for_or_seen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in run("ask", "armes")[1]
    assert "\x1b[" in run("ask", "armes", "--color", "always")[1]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "\x1b[" in run("ask", "armes")[1]
    assert "\x1b[" not in run("ask", "armes", "--color", "never")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("ask", "armes")[1]


def test_help_names_every_command() -> None:
    shown = process("--help").stdout.decode()
    assert [name for name in ("ask", "build", "info", "search", "show") if f"\n  {name} " not in shown] == []


def test_version_is_the_packages() -> None:
    import dispatch_qa

    assert process("--version").stdout.decode().split()[-1] == dispatch_qa.__version__


def test_a_question_that_is_not_utf8_is_rejected() -> None:
    done = process("ask", "-", stdin=b"caf\xe9 ?")
    assert done.returncode == 4
    assert b"not UTF-8" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes that signal")
def test_a_closed_pipe_is_quiet() -> None:
    done = subprocess.run(
        f"{sys.executable} -m dispatch_qa show dispatch.fr | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode in (0, cli.PIPE_CLOSED)  # the text may fit into the pipe before it closes


@pytest.mark.model
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child alone")
def test_an_interrupt_leaves_with_130_and_no_traceback() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "dispatch_qa", "ask", "--questions", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"Who spoke?\n")
    child.stdin.flush()
    assert child.stdout.readline().startswith(b'{"schema_version"')  # it runs, and waits for the next question
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (130, b"")


@pytest.mark.model
def test_the_real_thing_answers_from_another_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dispatch_qa", "ask", "-", "--json"]
    asked = "Які британські компанії взяли участь?".encode()
    done = subprocess.run(command, input=asked, capture_output=True, cwd=tmp_path, check=True)
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, SCHEMA)
    assert done.stderr == b""
    assert "Babcock International Group et BAE Systems" in answer["citations"][0]["quote"]


@pytest.mark.model
def test_sixty_questions_in_eight_languages_are_cited_letter_for_letter() -> None:
    done = subprocess.run(
        [sys.executable, str(REPO / "eval" / "check_citations.py"), "60"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("60 questions in 8 languages, ")


def test_eval_keeps_its_run_and_compares_two(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [{"query_id": "q", "text": "?", "language": "fr", "answerable": True, "rank": rank, "found": ["a"],
             "evidence": True, "confidence": 0.5, "supported": True, "exact": True, "milliseconds": 1.0}
            for rank in (2, 1)]  # fmt: skip
    runs = [tmp_path / "a", tmp_path / "b"]
    for run, row in zip(runs, rows, strict=True):
        run.mkdir()
        (run / "records.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert cli.main(["eval", "--compare", *map(str, runs)]) == 0
    table = capfd.readouterr().out.splitlines()
    assert table[1].split() == ["hit@1", "0.0", "100.0", "+100.0", "1", "0", "0", "1.0000"]
    assert cli.main(["eval", "--compare", *map(str, runs), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["measures"][0]["wins"] == 1


@pytest.mark.parametrize("arguments", [["eval"], ["eval", "folder", "--compare", "a", "b"]])
def test_eval_wants_folders_or_two_runs(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "--compare A B" in capfd.readouterr().err
