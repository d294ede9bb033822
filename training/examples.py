"""What the reader learns from: a question beside a passage."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

TOLD_APART, OTHERS = 0.3, 3  # the share of the answers told from passages beside them, and at most from how many


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


def told_apart(passages: Sequence[str], rng: random.Random) -> list[str]:
    """Those of `passages`, which do not answer a question, that it is read beside; often none."""
    return rng.sample(passages, min(OTHERS, len(passages))) if rng.random() < TOLD_APART else []
