"""Ids without the library are the library's ids."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import load_questions
from tokenizers import Tokenizer

from dispatch_qa.embed.onnx_lane import LANE, TOKENS, prepare_lane
from dispatch_qa.embed.quick_tokens import QuickTokens
from dispatch_qa.models import prepare_default_model
from dispatch_qa.settings import default_cache

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def folder() -> Path:
    prepared = prepare_default_model(default_cache())
    prepare_lane(prepared)
    return prepared


@pytest.fixture(scope="module")
def library(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def quick(folder: Path) -> QuickTokens:
    return QuickTokens(folder / LANE.replace("/", "-") / TOKENS)


def test_every_shipped_question_has_the_librarys_ids(quick: QuickTokens, library: Tokenizer) -> None:
    texts = [f"query: {text}" for question in load_questions() for text in question.text.values()]
    ids = [quick.ids(text) for text in texts]
    assert [text for text, own in zip(texts, ids, strict=True) if own not in (None, library.encode(text).ids)] == []
    # Arabic vowel signs are left to the library, and little else.
    assert sum(own is None for own in ids) < len(ids) / 10


def test_every_plain_character_has_the_librarys_ids(quick: QuickTokens, library: Tokenizer) -> None:
    compared = 0
    for code in range(0x20, 0x30000, 11):
        if 0xD800 <= code < 0xE000:
            continue
        text = f"a{chr(code)} {chr(code)}b"
        if (own := quick.ids(text)) is not None:
            assert own == library.encode(text).ids, f"U+{code:04X} {unicodedata.name(chr(code), '')}"
            compared += 1
    assert compared > 5_000


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=1_000, deadline=None)
def test_any_text_has_the_librarys_ids_or_none(quick: QuickTokens, library: Tokenizer, text: str) -> None:
    assert quick.ids(text) in (None, library.encode(text).ids)


@pytest.mark.parametrize("text", ["", " ", "   ", "▁", "a  b", "<s>", "ﬁ½", "e\u0301", "👩‍🚀", "\u200b", "\tx", "\0"])
def test_edge_cases_have_the_librarys_ids_or_none(quick: QuickTokens, library: Tokenizer, text: str) -> None:
    assert quick.ids(text) in (None, library.encode(text).ids)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=500, deadline=None)
def test_pieces_stand_where_the_library_says(quick: QuickTokens, library: Tokenizer, text: str) -> None:
    pieces = quick.pieces(text)
    if pieces is not None:
        own = [(number, text[start:end].strip()) for number, start, end in pieces]
        encoded = library.encode(text, add_special_tokens=False)
        assert own == [(n, text[a:b].strip()) for n, (a, b) in zip(encoded.ids, encoded.offsets, strict=True)]
