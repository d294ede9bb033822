"""The shipped questions line up: with the dispatch, between languages, between the two parts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest
from questions import LANGUAGES, Question, load_questions

from dispatch_qa.records import Dispatch
from dispatch_qa.split import paragraphs

QUESTIONS = load_questions()
ANSWERABLE = [question for question in QUESTIONS if question.answerable]
SCRIPTS = {"uk": "CYRILLIC", "ar": "ARABIC", "zh": "CJK"}


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(question.kind for question in QUESTIONS if not question.answerable)
    assert len(ANSWERABLE) >= 60
    assert kinds["near-miss"] >= 40
    assert sum(kinds.values()) >= 60


def test_ids_are_unique_and_no_question_stands_twice_in_a_language() -> None:
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    for language in LANGUAGES:
        texts = Counter(question.text[language].casefold() for question in QUESTIONS)
        assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_stands_in_every_language_and_its_script(question: Question) -> None:
    assert tuple(question.text) == LANGUAGES
    for language, text in question.text.items():
        assert text == text.strip()
        assert unicodedata.is_normalized("NFC", text)
        assert text[-1] in "?؟？"
        script = SCRIPTS.get(language, "LATIN")
        letters = [char for char in text if char.isalpha()]
        assert sum(unicodedata.name(char).startswith(script) for char in letters) > len(letters) / 3


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question.id)
def test_gold_stands_in_the_dispatch_where_it_says(question: Question, dispatch: Dispatch) -> None:
    texts = [span.of(dispatch.text) for span in paragraphs(dispatch.text)]
    for gold in question.gold:
        assert gold.answer in gold.evidence
        assert gold.evidence in texts[gold.paragraph - 1]


def test_translations_keep_the_numbers() -> None:
    for question in QUESTIONS:
        digits = {language: sorted(re.findall(r"\d+", text)) for language, text in question.text.items()}
        assert len({tuple(found) for found in digits.values()}) == 1, f"{question.id}: {digits}"


def test_tuning_and_reporting_share_no_fact() -> None:
    places = {"tune": set(), "report": set()}  # type: dict[str, set[tuple[int, str]]]
    for question in ANSWERABLE:
        places[question.part] |= {(gold.paragraph, gold.answer) for gold in question.gold}
    assert not places["tune"] & places["report"]


def test_the_parts_are_of_about_one_size() -> None:
    for group in (ANSWERABLE, [question for question in QUESTIONS if not question.answerable]):
        tuning = sum(question.part == "tune" for question in group)
        assert 0.4 <= tuning / len(group) <= 0.6
