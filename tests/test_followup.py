"""Questions that lean on the one before them."""

from __future__ import annotations

import pytest

from dispatch_qa.followup import leans, read


@pytest.mark.parametrize(
    ("before", "question", "together"),
    [
        ("Which British firms attended?", "And the Americans?", "Which firms attended – the Americans?"),
        (
            "Quelles entreprises britanniques étaient présentes ?",
            "Et les Américains ?",
            "Quelles entreprises étaient présentes – les Américains ?",
        ),
        ("How much did it grow in 2023?", "And in 2024?", "How much did it grow – in 2024?"),
        ("Was sagte Umerow über das Forum?", "Und Selenskyj?", "Was sagte über das – Selenskyj?"),
        ("¿Qué firmó Ucrania?", "¿Y por qué?", "¿Qué firmó Ucrania – por qué?"),
        ("Які британські компанії взяли участь?", "А американські?", "Які компанії взяли участь – американські?"),
        ("كم زاد الإنتاج في 2023؟", "وفي 2024؟", "كم زاد الإنتاج – في 2024؟"),
        ("哪些英国公司参加了？", "那美国的呢？", "哪些公司参加了 – 美国的呢？"),
        ("Who met Umerov?", "What did he say?", "Who met Umerov – What did he say?"),
        ("Who signed the memorandum?", "Where?", "Who signed the memorandum – Where?"),
        ("Which firms attended – the Americans?", "And the British?", "Which firms attended – the British?"),
        ("Which firms attended – the Americans?", "Where?", "Which firms attended – the Americans – Where?"),
    ],
)
def test_a_follow_up_is_read_with_what_was_asked_before(before: str, question: str, together: str) -> None:
    assert read(question, before) == together


@pytest.mark.parametrize(
    "question",
    [
        "Which British firms attended?",
        "Andes: how high are they said to be in the dispatch?",
        "Qui a signé le mémorandum ?",
        "من هو وزير الدفاع الأوكراني؟",
        "谁编辑了这篇报道？",
        "And which of the firms that came to the conference in Kyiv this week were British?",
    ],
)
def test_a_question_that_says_what_it_asks_stands_on_its_own(question: str) -> None:
    assert not leans(question)
    assert read(question, "Who spoke?") is None


def test_the_first_question_has_nothing_to_lean_on() -> None:
    assert read("And the Americans?", None) is None


def test_no_question_of_the_shipped_set_is_taken_for_a_follow_up() -> None:
    from questions import load_questions

    taken = [text for question in load_questions() for text in question.text.values() if leans(text)]
    assert taken == []
