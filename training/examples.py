"""What the reader learns from: a question beside a passage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A question beside a passage; `start` and `end` of the answer in characters, or `None` where it has none.

    Where `answers` is false, they tell what the passage must not be cut off from: there a near miss comes near.
    `others` are passages that do not answer, from which the one that does is to be told: they share a batch.
    """

    question: str
    passage: str
    kind: str
    start: int | None = None
    end: int | None = None
    answers: bool = True
    others: tuple[str, ...] = ()
