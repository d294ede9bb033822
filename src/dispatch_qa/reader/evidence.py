"""Hits as the reader sees them: ranked by how likely they answer, their evidence the sentence with the answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dispatch_qa.calibration import Calibration, Pair, load_calibration
from dispatch_qa.language import UNKNOWN, identify
from dispatch_qa.models import Progress
from dispatch_qa.nations import lacks_a_nation
from dispatch_qa.reader import Reader, Reading, load_reader
from dispatch_qa.records import Dispatch, Hit, Span

_NUMBER = re.compile(r"\d{2,9}")

READ = 5
"""Passages that are read, at most.

Three put the right one first for 88.9 instead of 89.3 in 100 of the shipped questions' tuning part, for 78.7 instead
of 77.8 of PIAF's and for 88.2 instead of 89.1 of written copy's; four are read on average, with three two and a half.
"""

NEAR = 0.05
"""What scores lower than the first passage by more is not read: on the tuning parts it never came first."""

SURE = 0.95
"""How sure the place of words must be for them to be told: else the sentence stands for itself.

On the shipped questions' tuning part 84 in 100 answers reach it, and 83 in 100 of those are right; of all, 81.
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reader, and the curve from its logits to probabilities."""

    reader: Reader
    calibration: Calibration

    def of(self, question: str, hits: Sequence[Hit], dispatch_of: Callable[[str], Dispatch | None]) -> list[Hit]:
        """The hits, best first, with what the reader found; those that it does not read stay behind."""
        near = hits[: worth_reading([hit.score for hit in hits])]
        ids = [hit.passage.dispatch_id for hit in near]
        dispatches = {dispatch_id: dispatch_of(dispatch_id) for dispatch_id in dict.fromkeys(ids)}
        pairs = {i: pair_of(question, dispatch) for i, dispatch in dispatches.items()}
        readings = self.reader.read(question, [_text(hit, dispatches[i]) for hit, i in zip(near, ids, strict=True)])
        seen = [self._seen(hit, reading, pairs[i]) for hit, reading, i in zip(near, readings, ids, strict=True)]
        return [*sorted(seen, key=self.rank, reverse=True), *hits[len(near) :]]

    def rank(self, hit: Hit) -> float:
        """By what hits are ordered: higher is better, any real number; a hit that was not read comes last."""
        return -math.inf if hit.here is None else self.calibration.rank * hit.score + hit.here

    def _seen(self, hit: Hit, reading: Reading, pair: Pair) -> Hit:
        """The hit with its reading: its sentence, and the words if they are sure. They end where the sentence does."""
        probability = self.calibration.probability(hit.score, reading.here, hit.lexical, pair)
        hit = replace(hit, here=reading.here, probability=probability)
        sentence = sentence_of(hit, reading)
        if sentence is None:
            return hit
        words, before = reading.found[0], hit.passage.span.start
        answer = Span(before + words.span.start, min(before + words.span.end, sentence.end))
        return replace(hit, best=sentence, answer=answer if words.score >= SURE else None)


def sentence_of(hit: Hit, reading: Reading) -> Span | None:
    """The sentence of the hit's passage in which the best words begin."""
    if not reading.found:
        return None
    start = hit.passage.span.start + reading.found[0].span.start
    return next((one for one in hit.passage.sentences if one.start <= start < one.end), None)


def pair_of(question: str, dispatch: Dispatch | None) -> Pair:
    """What is known of the two; a passage whose dispatch is gone is an error when it is cited."""
    language = identify(question)
    if dispatch is None:
        return Pair(language=language)
    return Pair(lacks(question, language, dispatch), language, alike=language == dispatch.language != UNKNOWN)


def worth_reading(scores: Sequence[float]) -> int:
    """How many of the first passages are read, of those whose scores, best first, these are."""
    return sum(score >= scores[0] - NEAR for score in scores[:READ])


def lacks(question: str, language: str, dispatch: Dispatch) -> bool:
    """Whether the question, in that language, names a nation or a number that the dispatch does not.

    Of numbers those of two digits or more: a year, a calibre. Smaller ones are written as words as often. A number is
    the same in every language, and in every script's digits.
    """
    told = f"{dispatch.text} {dispatch.dateline} {dispatch.filed_at}"
    numbers = set(map(int, _NUMBER.findall(question)))
    return not numbers <= set(map(int, _NUMBER.findall(told))) or lacks_a_nation(
        question, language, told, dispatch.language
    )


def load_evidence(fingerprint: str, cache: Path, progress: Progress = lambda line: None) -> Evidence | None:
    """The evidence for the model of that fingerprint; `None` where no reader, or no curve for it, ships for it."""
    reader = load_reader(fingerprint, cache, progress)
    if reader is None:
        return None
    calibration = load_calibration(fingerprint, reader.name)
    if calibration is None:
        progress(f"The reader is off: no calibration ships for {reader.name}; answers are sentences")
        return None
    return Evidence(reader, calibration)


def _text(hit: Hit, dispatch: Dispatch | None) -> str:
    return hit.passage.span.of(dispatch.text) if dispatch else ""
