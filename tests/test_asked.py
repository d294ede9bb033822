"""The questions written for the reader's training on passages of the sets: their form, and the examples they give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asked import FOLDER, nearest, questions
from data import OWN, Asked, Mix, Pool, Text

TRAM = (
    "The first tram ran in 1896. It was drawn by two mules until the line was wired. It went from the harbour to the "
    "market. A ticket cost as much as a loaf of bread in those years, and children rode for nothing on their way to "
    "school."
)


def pool(part: str = "train") -> Pool:
    """A passage in two languages of that part, and two that train."""
    texts = [
        Text("p1.en", TRAM, "en", part),
        Text("p1.de", "Die erste Tram fuhr 1896. Zwei Maultiere zogen sie.", "de", part),
        Text("p2.en", "In 1896 a lift was built.", "en", "train"),
        Text("p3.en", "The lift has two cabins.", "en", "train"),
    ]
    known = Asked("q1", "When did it run?", "en", "xquad-r", {"p1.en": [(22, "1896")]})
    return Pool({text.passage_id: text for text in texts}, [known])


def row(**told: Any) -> dict[str, Any]:
    return {"language": "uk", "text": "Хто тягнув вагон?", **told}


ANSWERED = row(answers={"p1.en": [44, 53], "p1.de": [26, 40]})
UNANSWERED = row(text="Хто був водієм?", beside=["p1.en", "p1.de"])


def folder_with(folder: Path, *rows: dict[str, Any]) -> Path:
    (folder / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return folder


def test_a_question_has_its_words_in_each_passage_and_one_without_is_asked_beside_each(tmp_path: Path) -> None:
    answered, *beside = questions(pool(), folder_with(tmp_path, ANSWERED, UNANSWERED))
    assert answered.golds == {"p1.en": [(44, "two mules")], "p1.de": [(26, "Zwei Maultiere")]}
    assert [one.beside for one in beside] == ["p1.en", "p1.de"]
    assert all(one.dataset == OWN and one.language == "uk" and not one.golds for one in beside)


@pytest.mark.parametrize(
    ("one", "part", "message"),
    [
        (ANSWERED, "test", r"asked-a-1: p1.en is no passage that trains"),
        (UNANSWERED, "tune", "p1.en is no passage that trains"),
        (row(answers={"p9.en": [0, 1]}), "train", "p9.en is no passage"),
        (row(answers={"p1.en": [70, 999]}), "train", "70 to 999 is not within p1.en"),
        (row(answers={"p1.en": [3, 4]}), "train", "3 to 4 is not within"),
        (row(answers={"p1.en": [9, 9]}), "train", "9 to 9 is not within"),
    ],
)
def test_what_is_held_out_or_is_no_answer_is_refused(
    tmp_path: Path, one: dict[str, Any], part: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        questions(pool(part), folder_with(tmp_path, one))


def test_what_lies_near_other_questions_on_the_passage_is_near_unless_it_holds_the_words(tmp_path: Path) -> None:
    some, known = questions(pool(), folder_with(tmp_path, ANSWERED)), {"q1": ["p2.en", "p1.de", "p3.en"]}
    assert nearest(some, pool(), known, 8) == {"asked-a-1": ["p2.en", "p3.en"]}
    when = row(answers={"p1.en": [22, 26]})
    assert nearest(questions(pool(), folder_with(tmp_path, when)), pool(), known, 8) == {"asked-a-1": ["p3.en"]}
    assert nearest(some, pool(), known, 1) == {"asked-a-1": ["p2.en"]}
    assert nearest(questions(pool(), folder_with(tmp_path, UNANSWERED)), pool(), known, 8) == {}


def test_an_epoch_has_them_by_a_share_of_their_own(tmp_path: Path) -> None:
    train = pool()
    train.questions += questions(train, folder_with(tmp_path, *[ANSWERED] * 40, *[UNANSWERED] * 10))
    examples = Mix(train, {}, {}, 1, others=0.0).epoch(0)
    answered = [one for one in examples if one.kind == "asked"]
    assert len(answered) == 80
    assert {one.passage[one.start : one.end] for one in answered} == {"two mules", "Zwei Maultiere"}
    assert sum(one.kind == "asked near miss" for one in examples) == 20
    assert 0 < sum(one.kind == "sentence removed" for one in examples) < 40
    assert not any(one.start is not None for one in examples if one.kind != "asked")
    assert len(Mix(train, {}, {}, 1, others=0.0, questions=0.5).epoch(0)) == round(len(examples) / 2)
    assert Mix(train, {}, {}, 1, others=0.0, questions=0.0).epoch(0) == []


def test_those_of_the_project_are_of_the_form_and_none_is_there_twice() -> None:
    found = [json.loads(line) for file in FOLDER.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    for one in found:
        assert set(one) in ({"language", "text", "answers"}, {"language", "text", "beside"})
        assert len(one["language"]) == 2
        assert one["text"] == one["text"].strip()
        passages = one.get("answers") or one["beside"]
        assert passages
        assert all(start < end for start, end in one.get("answers", {}).values())
    assert len({(one["text"], min(one.get("answers") or one["beside"])) for one in found}) == len(found)
    answered = sum("answers" in one for one in found) / len(found)
    assert 0.5 < answered < 0.85
