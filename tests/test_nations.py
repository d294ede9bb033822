"""Nations by name: in every case, in many languages, and what only looks like one."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.nations import FILE, lacks_a_nation, named
from dispatch_qa.readers import shipped_dispatch

FRENCH = "Kiev a accueilli les fabricants britanniques et l'allemand Rheinmetall ; les États-Unis ont signé."


@pytest.mark.parametrize(
    ("text", "language", "codes"),
    [
        ("Which Polish companies attended?", "en", "PL"),
        ("Quelles entreprises polonaises ?", "fr", "PL"),
        ("Welche polnischen Firmen?", "de", "PL"),
        ("¿Qué empresas polacas?", "es", "PL"),
        ("Польськими компаніями", "uk", "PL"),
        ("ما الشركات البولندية؟", "ar", "PL"),
        ("哪些波兰公司参加了？", "zh", "PL"),
        ("Które polskie firmy?", "pl", "PL"),
        ("Какие польские компании?", "ru", "PL"),
        ("in the United States and the UK", "en", "US GB"),
        ("aux États-Unis", "fr", "US"),
        ("У Сполучених Штатах", "uk", "US"),
        ("między Stanami Zjednoczonymi", "pl", "US"),
        ("بين أوكرانيا وفرنسا", "ar", "UA FR"),
        ("Mit welchen asiatischen Partnern?", "de", "142"),
        ("developing countries: 发展中国家", "zh", ""),
        ("Who will tell us?", "en", ""),
        ("La réunion, une grenade", "fr", ""),
        ("Вони мали", "uk", ""),
        ("George met Chad", "en", ""),
        ("Poland", "xx", ""),
    ],
)
def test_nations_are_told_by_how_their_names_begin(text: str, language: str, codes: str) -> None:
    assert [code for several in named(text, language) for code in sorted(several)] == codes.split()


@pytest.mark.parametrize(
    ("question", "language", "lacks"),
    [
        ("Which British firms attended?", "en", False),
        ("哪些英国公司参加了？", "zh", False),
        ("What did the Americans sign?", "en", False),
        ("Which European firm?", "en", False),
        ("Which German firm?", "en", False),
        ("Who attended?", "en", False),
        ("Which Polish firms attended?", "en", True),
        ("Which Asian partners?", "en", True),
        ("Which British and French firms attended?", "en", True),
        ("Poland?", "und", False),
    ],
)
def test_a_nation_that_the_copy_does_not_name_is_missed(question: str, language: str, lacks: bool) -> None:
    assert lacks_a_nation(question, language, FRENCH, "fr") == lacks


def test_nothing_is_missed_in_copy_of_a_language_without_names() -> None:
    assert not lacks_a_nation("Which Polish firms?", "en", "…", "und")


def test_the_shipped_dispatch_names_ukraine_britain_america_germany_and_europe() -> None:
    dispatch = shipped_dispatch()
    codes = {code for several in named(dispatch.text, dispatch.language) for code in several}
    assert codes == {"UA", "GB", "US", "DE", "150"}


@given(
    st.text(), st.sampled_from(sorted(json.loads(files("dispatch_qa").joinpath(FILE).read_text("utf-8"))["languages"]))
)
def test_any_text_is_read_and_names_what_it_names(text: str, language: str) -> None:
    assert not lacks_a_nation(text, language, text, language)
