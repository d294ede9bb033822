"""What a reader is: question and passages in, the words that answer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dispatch_qa.records import Span


@dataclass(frozen=True, slots=True)
class Found:
    """Words of a passage that may answer.

    `span` is in characters of the passage. `score` is the share, in [0, 1], that the span and those within
    or around it have among all spans of the passage: how sure the place is, its extent aside.
    """

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of one passage: a logit, that it answers, and its best spans, best first, maybe none."""

    here: float
    found: tuple[Found, ...]


class Reader(Protocol):
    """Reads passages for the words that answer a question; deterministic, and each passage for itself."""

    @property
    def name(self) -> str:
        """What made the readings, with its version."""

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """One reading for each passage, in order."""
