from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.lexical import covered, holds, phrases, terms, weights


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Les fabricants britanniques", ["les", "fabric", "britan"]),
        ("obus de 155 mm", ["obus", "de", "155", "mm"]),
        ("Été, été; ETE", ["ete", "ete", "ete"]),
        ("1234567890", ["1234567890"]),
        ("Зеленський", ["зеленс"]),
        ("乌克兰 155", ["乌克", "克兰", "155"]),
        ("国", ["国"]),
        ("القُوَّات", ["القوات"]),
        ("?!… —", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_rarer_term_weighs_more_and_none_weighs_nothing() -> None:
    found = weights({"de": 10, "kiev": 2, "155": 1, "absent": 0}, 10)
    assert found["absent"] > found["155"] > found["kiev"] > found["de"] > 0
    # ln(1 + (10 - 1 + .5) / (1 + .5))
    assert found["155"] == pytest.approx(math.log(1 + 9.5 / 1.5))


def test_covered_is_the_share_of_the_weight_that_is_held() -> None:
    weight = {"kiev": 3.0, "londre": 1.0}
    assert covered("À Kiev, Kiev et Kiev", weight) == 0.75
    assert covered("Londres", weight) == 0.25
    assert covered("Kiev, Londres", weight) == 1
    assert covered("Berlin", weight) == 0
    assert covered("Berlin", {}) == 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_text_covers_itself_and_more_text_covers_no_less(text: str, more: str) -> None:
    weight = weights(dict.fromkeys(terms(text), 1), 5)
    assert covered(text, weight) == (pytest.approx(1) if weight else 0)
    assert covered(f"{text} {more}", weight) == covered(text, weight)


@given(st.text())
def test_terms_of_any_text_are_words_without_quotes(text: str) -> None:
    assert all(term and '"' not in term and not term.isspace() for term in terms(text))


def test_only_straight_double_quotes_mean_literally() -> None:
    assert phrases('What did "BAE  Systems" and "155 mm" have?') == ["BAE Systems", "155 mm"]
    assert phrases("Хто керує «Укроборонпромом»? “Who?” 'no'") == []
    assert phrases('An open " quote') == phrases('an empty "" one') == phrases('" ? "') == []


@pytest.mark.parametrize(
    ("text", "phrase", "held"),
    [
        ("BAE\nSystems en tête", "bae systems", True),
        ("des obus de 155 mm.", "155 mm", True),
        ("des obus de 1155 mm", "155 mm", False),
        ("BAE et ses Systems", "BAE Systems", False),
        ("un (sic) mot", "(sic)", True),
        ("la conférence de Kiev", "conference", False),
    ],
)
def test_a_phrase_is_held_as_whole_words_letter_for_letter(text: str, phrase: str, held: bool) -> None:
    assert holds(text, [phrase]) is held
