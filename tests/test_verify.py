from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import FakeEmbedder

from dispatch_qa import Dispatch, DispatchQA, InputRejected, Settings, build, verify

TEXT = "Le port d'Odessa a rouvert mardi.\n\nIl était fermé depuis mars, dit *Petrov*."
FIRST = Dispatch("port", TEXT, "fr", version="1", version_of="story")


def opened(settings: Settings, *dispatches: Dispatch) -> DispatchQA:
    build(settings, dispatches=dispatches, embedder=FakeEmbedder(), force=True)
    return DispatchQA(settings, FakeEmbedder(), now=lambda: datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture(params=["answer.json", "answer.md"])
def saved(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Path:
    file = tmp_path / str(request.param)
    verify.save(opened(settings, FIRST).ask("port d'Odessa fermé depuis mars", k=2), file)
    return file


def states(file: Path, settings: Settings, *dispatches: Dispatch) -> list[str]:
    return [one.state for one in verify.verify(file, opened(settings, *dispatches))]


def test_what_has_not_changed_stands(saved: Path, settings: Settings) -> None:
    assert states(saved, settings, FIRST) == ["stands", "stands"]
    assert states(saved, settings, FIRST, Dispatch("more", "Autre chose.", "fr")) == ["stands", "stands"]


OTHER = Dispatch("more", "Autre chose.", "fr")
LATER = replace(FIRST, id="port2", version="2", text=TEXT.replace("mardi", "jeudi"), advisory="(Corrige le jour)")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([replace(FIRST, id="elsewhere")], "moved"),
        ([FIRST, LATER], "corrected"),
        ([replace(LATER, id="port")], "corrected"),
        ([FIRST, replace(LATER, status="canceled")], "withdrawn"),
        ([FIRST, replace(LATER, status="withheld")], "withdrawn"),
        ([replace(FIRST, embargo="2099-01-01")], "withdrawn"),
        ([replace(FIRST, status="canceled")], "withdrawn"),
        ([OTHER], "gone"),
    ],
)
def test_what_became_of_a_quote_is_told(saved: Path, settings: Settings, held: list[Dispatch], expected: str) -> None:
    verdicts = verify.verify(saved, opened(settings, *held))
    assert {one.state for one in verdicts} == {expected}
    assert verify.all_stand(verdicts) == (expected == "moved")


def test_a_correction_says_whether_the_quote_survived_it(saved: Path, settings: Settings) -> None:
    details = {one.detail for one in verify.verify(saved, opened(settings, FIRST, LATER))}
    assert any(
        "port2, version 2, took its place; the quote no longer stands there. (Corrige" in line for line in details
    )
    assert any("the quote still stands there, at 35–" in line for line in details)


@pytest.mark.parametrize(
    "change",
    [
        {"start": 1},
        {"end": 9},
        {"quote": "Le port d'Odessa a rouvert lundi."},
        {"evidence": {"start": 0, "end": 3, "quote": "La "}},
    ],
)
def test_an_altered_quote_is_found(settings: Settings, tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "answer.json"
    verify.save(opened(settings, FIRST).ask("port d'Odessa rouvert", k=1), file)
    saved = json.loads(file.read_text(encoding="utf-8"))
    saved["citations"][0] |= change
    file.write_text(json.dumps(saved), encoding="utf-8")
    assert states(file, settings, FIRST) == ["altered"]


def test_markdown_that_was_changed_by_hand_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    verify.save(opened(settings, FIRST).ask("port d'Odessa rouvert", k=1), file)
    text = file.read_text(encoding="utf-8")
    assert "> Le port d'Odessa a rouvert mardi." in text
    file.write_text(text.replace("mardi", "lundi", 1), encoding="utf-8")
    with pytest.raises(InputRejected, match="was changed after it was saved"):
        verify.verify(file, opened(settings, FIRST))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"citations": [1], "nearest": []}', "null", "\x00"])
@pytest.mark.parametrize("name", ["a.json", "a.md"])
def test_what_is_no_saved_answer_is_refused(settings: Settings, tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputRejected, match="is no saved answer"):
        verify.verify(tmp_path / name, opened(settings, FIRST))
    with pytest.raises(InputRejected, match="cannot be read"):
        verify.verify(tmp_path / "none.json", opened(settings, FIRST))


def test_a_place_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="cannot be written"):
        verify.save(opened(settings, FIRST).ask("port", k=1), tmp_path / "none" / "a.json")
