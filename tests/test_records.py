from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.records import Dispatch, Passage, Quote, Span


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 0), (3, 3), (4, 3), (-2, -1)])
def test_a_span_must_hold_something_and_begin_inside_the_text(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=f"0 <= start < end, got {start}:{end}"):
        Span(start, end)


def test_a_span_counts_code_points_and_leaves_its_end_out() -> None:
    assert Span(2, 5).of("a👍é𝒳z") == "é𝒳z"
    assert Span(1, 2).of("a👍é𝒳z") == "👍"


@given(st.text(), st.text(min_size=1), st.text())
def test_a_span_gives_back_what_stands_between_its_neighbours(before: str, inside: str, after: str) -> None:
    assert Span(len(before), len(before) + len(inside)).of(before + inside + after) == inside


def test_the_checksum_of_a_dispatch_is_that_of_its_text_alone() -> None:
    # FIPS 180-2's own example.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Dispatch("x", "abc").sha256 == abc
    assert Dispatch("y", "abc", language="fr", agency="Reuters").sha256 == abc


def test_the_checksum_is_taken_over_utf_8() -> None:
    # printf 'é' | sha256sum
    assert Dispatch("x", "é").sha256 == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"


def test_a_dispatch_has_none_of_the_wires_fields_unless_told() -> None:
    dispatch = Dispatch("x", "abc")
    wire = [dispatch.slug, dispatch.headline, dispatch.agency, dispatch.byline, dispatch.credit]
    wire += [dispatch.dateline, dispatch.filed_at, dispatch.version, dispatch.version_of, dispatch.status]
    assert wire == [None] * 10
    assert dispatch.language == "und"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (Span(0, 1), "end"),
        (Dispatch("x", "abc"), "text"),
        (Passage("x", 1, Span(0, 1), (Span(0, 1),)), "span"),
        (Quote(0, 1, "a"), "quote"),
    ],
)
def test_records_cannot_be_changed(record: object, field: str) -> None:
    with pytest.raises(FrozenInstanceError, match=field):
        setattr(record, field, None)
