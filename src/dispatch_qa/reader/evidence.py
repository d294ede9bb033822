"""Hits as the reader sees them: ranked by how likely they answer, their evidence the sentence with the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dispatch_qa.calibration import Calibration, load_calibration
from dispatch_qa.models import Progress
from dispatch_qa.reader import Reader, Reading, load_reader
from dispatch_qa.records import Dispatch, Hit, Span

READ = 5
"""Passages that are read: more find little and take time."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reader, and the curve from its logits to probabilities."""

    reader: Reader
    calibration: Calibration

    def of(self, question: str, hits: Sequence[Hit], dispatch_of: Callable[[str], Dispatch | None]) -> list[Hit]:
        """The hits, best first, with what the reader found; those that it does not read stay behind."""
        texts = [_text(hit, dispatch_of(hit.passage.dispatch_id)) for hit in hits[:READ]]
        readings = self.reader.read(question, texts)
        seen = [self._seen(hit, reading) for hit, reading in zip(hits, readings, strict=False)]
        return [*sorted(seen, key=self.rank, reverse=True), *hits[READ:]]

    def rank(self, hit: Hit) -> float:
        """By what hits are ordered: higher is better, any real number; a hit that was not read comes last."""
        return -math.inf if hit.here is None else self.calibration.rank * hit.score + hit.here

    def _seen(self, hit: Hit, reading: Reading) -> Hit:
        """The hit with its reading. An answer that runs over the end of a sentence ends there."""
        probability = self.calibration.probability(hit.score, reading.here, hit.lexical)
        hit = replace(hit, here=reading.here, probability=probability)
        for words in reading.found[:1]:
            start, end = hit.passage.span.start + words.span.start, hit.passage.span.start + words.span.end
            for sentence in hit.passage.sentences:
                if sentence.start <= start < sentence.end:
                    return replace(hit, best=sentence, answer=Span(start, min(end, sentence.end)))
        return hit


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
    # A passage whose dispatch is gone is an error when it is cited.
    return hit.passage.span.of(dispatch.text) if dispatch else ""
