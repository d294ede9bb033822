"""The dispatches written for the reader's training: their form, and the examples that come of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from data import Mix, Pool
from fakes import FakeEmbedder
from pipeline import of_written
from score import written_figures
from written import Written, examples, inner, read

from dispatch_qa import DispatchQA, Settings, build
from dispatch_qa.evaluate import Judged
from dispatch_qa.reader import Reading
from dispatch_qa.reader.protocol import Found
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.records import Span

ONE = """@ fr
LYON, 3 mars (AFP) - Varelis a obtenu 480 millions d'euros.
Les rames circuleront en 2027, a dit Odile Marchetti.
La ville n'a rien ajouté.
? 1 en How much is it worth? => 480 millions d'euros
? 2 uk Хто це сказав? => Odile Marchetti
! 1 pl Ile pociągów zamówi Francja?
"""


def folder_with(folder: Path, text: str) -> Path:
    (folder / "001.txt").write_text(text, encoding="utf-8")
    return folder


def test_a_dispatch_is_read_with_its_questions(tmp_path: Path) -> None:
    (one,) = read(folder_with(tmp_path, ONE))
    assert (one.language, len(one.paragraphs)) == ("fr", 3)
    assert [(put.paragraph, put.language, put.words) for put in one.questions] == [
        (0, "en", "480 millions d'euros"),
        (1, "uk", "Odile Marchetti"),
        (0, "pl", None),
    ]


def test_files_come_after_one_another_as_columns_of_a_table_do() -> None:
    assert [file for file in ("c", "z", "aa", "ab") if Written("fr", file).since("z")] == ["z", "aa", "ab"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@ fr\nUn.\n? 1 en What? => Deux", "'Deux' does not stand in paragraph 1"),
        ("@ fr\nUn.\n? 2 en What? => Un", "line 3: there is no paragraph 2"),
        ("@ fr\nUn.\n? 1 en What?", "words belong to"),
        ("@ fr\nUn.\n! 1 en What? => Un", "words belong to"),
        ("@ fr\nUn.\n! 1 en What?\nDeux.", "a paragraph after questions"),
        ("@ fr\nUn.\n! one en What?", "001.txt, line 3"),
        ("@ fr\nUn.\n! 2 en What?", "there is no paragraph 2"),
        ("Un.", "begins with @"),
        ("? 1 en What? => Un", "there is no paragraph 1"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(folder_with(tmp_path, text))


def test_each_question_is_put_to_its_paragraph_and_some_to_one_that_does_not_answer(tmp_path: Path) -> None:
    dispatches = read(folder_with(tmp_path, ONE))
    some = [one for seed in range(100) for one in examples(dispatches, random.Random(seed))]
    assert {one.passage[one.start : one.end] for one in some if one.start is not None} == {
        "480 millions d'euros",
        "Odile Marchetti",
    }
    assert sum(one.kind == "written near miss" for one in some) == 100
    apart = [one for one in some if one.others]
    assert {one.others for one in apart if "480" in one.passage} == {
        ("Les rames circuleront en 2027, a dit Odile Marchetti.", "La ville n'a rien ajouté."),
        ("La ville n'a rien ajouté.", "Les rames circuleront en 2027, a dit Odile Marchetti."),
    }
    assert 20 < len(apart) < 100
    assert all(one.start is not None for one in apart)
    elsewhere = [one for one in some if one.kind == "written elsewhere"]
    assert len(elsewhere) > 20
    assert all(one.start is None for one in elsewhere)
    assert not any("Marchetti" in one.passage for one in elsewhere if "Хто" in one.question)


def test_an_epoch_has_the_share_that_it_is_told_of_the_dispatches_of_its_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(dispatches=read(folder_with(tmp_path, ONE)))
    monkeypatch.setattr("data.part_of", lambda key, test, tune: "train")
    whole = Mix(pool, {}, {}, 1).epoch(0)
    assert [one.kind for one in whole].count("written") == 2
    assert len(Mix(pool, {}, {}, 1, own=0.5).epoch(0)) == round(len(whole) / 2)
    assert Mix(pool, {}, {}, 1, own=0.0).epoch(0) == []
    assert len(Mix(pool, {}, {}, 1, own=0.0, new="001").epoch(0)) == len(whole)
    assert Mix(pool, {}, {}, 1, own=0.0, new="002").epoch(0) == []
    monkeypatch.setattr("data.part_of", lambda key, test, tune: "test")
    assert Mix(pool, {}, {}, 1).epoch(0) == []


def test_what_a_name_answers_between_first_and_last_paragraph_is_no_credit_line_s(tmp_path: Path) -> None:
    copy, asked = inner(read(folder_with(tmp_path, f"{ONE}? 3 en Who was silent? => La ville\n")))
    assert copy == ["Les rames circuleront en 2027, a dit Odile Marchetti."]
    assert asked == ["Хто це сказав?"]


class Reader:
    """Finds the first word of a passage, and is sure of all but near misses in Polish."""

    name = "first"

    def read(self, question: str, passages: list[str]) -> list[Reading]:
        here = -1.0 if question.startswith("Ile") else 1.0
        return [Reading(here, (Found(Span(0, passage.index(" ")), 1.0),)) for passage in passages]


def test_words_and_near_misses_are_scored_by_language(tmp_path: Path) -> None:
    told = written_figures(read(folder_with(tmp_path, ONE)), Reader())  # type: ignore[arg-type]
    assert told["fr"] == told["all"] == {"n": 3, "answerable": 2, "f1": 0.0, "auroc": 1.0}


def test_what_ships_for_training_holds_to_its_rules() -> None:
    dispatches = read()
    assert len(dispatches) > 400
    for one in dispatches:
        answerable = sum(put.words is not None for put in one.questions)
        # Three in four at most, as of reference texts: else that it answers would be the better guess.
        assert 0.4 < answerable / len(one.questions) <= 0.75, one.key
    put = [put for one in dispatches for put in one.questions]
    assert {"en", "fr", "de", "es", "uk", "ar", "zh", "pl"} <= {one.language for one in put}
    shipped = shipped_dispatch().text
    assert not [one.key for one in dispatches if any(paragraph in shipped for paragraph in one.paragraphs)]
    assert not [one.key for one in dispatches if "Ukroboronprom" in " ".join(one.paragraphs)]


def test_a_written_dispatch_is_asked_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ONE.replace("Varelis", "Tornay").replace("480", "90").replace("Odile Marchetti", "Luc Perrin")
    pool = Pool(dispatches=read(folder_with(tmp_path, f"{ONE}{other}")))
    monkeypatch.setattr("data.part_of", lambda key, test, tune: "tune")
    monkeypatch.setattr("pipeline.store_for", lambda judged, settings, say: store_of(judged, tmp_path / "store"))
    observed = of_written("tune", Reader(), pool)  # type: ignore[arg-type]
    assert [len(one.seen) for one in observed] == [3] * 6
    assert [sum(seen.relevant for seen in one.seen) for one in observed] == [1, 1, 0, 1, 1, 0]
    assert [one.golds for one in observed][3] == ("90 millions d'euros",)
    assert {one.copy_language for one in observed} == {"fr"}


def store_of(judged: Judged, folder: Path) -> DispatchQA:
    settings = Settings(index=folder)
    build(settings, dispatches=judged.dispatches, embedder=FakeEmbedder())
    return DispatchQA(settings, embedder=FakeEmbedder())
