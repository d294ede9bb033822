from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.attribution import CUES, speaker
from dispatch_qa.records import Dispatch

SENTENCES = Path(__file__).parent.parent / "eval" / "attribution.jsonl"
ROWS = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", sorted(CUES))
def test_most_speakers_of_the_marked_sentences_are_named_word_for_word(language: str) -> None:
    rows = [row for row in ROWS if row["language"] == language]
    spans = [speaker(row["text"], language) for row in rows]
    named = [span.of(row["text"]) if span else None for span, row in zip(spans, rows, strict=True)]
    assert sum(a == row["speaker"] for a, row in zip(named, rows, strict=True)) >= 18


def test_the_shipped_dispatch_names_its_speakers(dispatch: Dispatch) -> None:
    quoted = '"Nous avons signé un mémorandum avec les États-Unis", a déclaré M. Umerov.'
    span = speaker(quoted, "fr")
    assert span is not None
    assert span.of(quoted) == "M. Umerov"
    assert quoted.partition('", ')[2] in dispatch.text


def test_a_language_without_cues_has_no_speaker() -> None:
    assert speaker("Zgodnie z raportem, powiedział Jan.", "pl") is None


@given(st.text(max_size=120), st.sampled_from(sorted(CUES)))
def test_a_speaker_is_a_slice(text: str, language: str) -> None:
    span = speaker(text, language)
    assert span is None or span.of(text)


@given(st.sampled_from(ROWS), st.text(max_size=20))
def test_a_speaker_lies_in_its_sentence_whatever_follows(row: dict[str, str], more: str) -> None:
    text = row["text"] + more
    span = speaker(text, row["language"])
    assert span is None or span.end <= len(text)
