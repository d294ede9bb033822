"""Two runs over the same questions, side by side, with a paired test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dispatch_qa.errors import InputRejected
from dispatch_qa.evaluate.measure import Record

DEPTH = 10
RESAMPLES = 10_000
SEED = 20260101

OF_RECORD: dict[str, Callable[[Record], float]] = {
    "hit@1": lambda record: float(record.rank == 1),
    "mrr@10": lambda record: 1 / record.rank if record.rank and record.rank <= DEPTH else 0.0,
    "evidence": lambda record: float(bool(record.evidence)),
    "answered": lambda record: float(record.supported == record.answerable),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of two runs, A and B: means in [0, 1], and on how many questions B is better, the same, worse.

    `p` is that of a two-sided paired randomisation test: how often a difference of the means at least as large
    comes about if which run is which is drawn by lot for each question.
    """

    measure: str
    a: float
    b: float
    wins: int
    ties: int
    losses: int
    p: float


def compare(a: Sequence[Record], b: Sequence[Record]) -> list[Comparison]:
    """Every measure of runs `a` and `b`. Raises `InputRejected` unless both asked the same questions."""
    other = {(record.query_id, record.text): record for record in b}
    if len(other) != len(b) or {(record.query_id, record.text) for record in a} != set(other):
        raise InputRejected("the two runs did not ask the same questions; a paired test needs the same set in both")
    pairs = [(record, other[record.query_id, record.text]) for record in a]
    judged = [pair for pair in pairs if pair[0].answerable]
    parts = {
        "hit@1": judged,
        "mrr@10": judged,
        "evidence": [pair for pair in judged if None not in (pair[0].evidence, pair[1].evidence)],
        "answered": pairs,
    }
    return [_compared(name, part) for name, part in parts.items() if part]


def _compared(name: str, pairs: Sequence[tuple[Record, Record]]) -> Comparison:
    import numpy as np

    value = OF_RECORD[name]
    a, b = (np.array([value(pair[side]) for pair in pairs]) for side in (0, 1))
    difference = b - a
    # Only questions on which the runs differ can change sign to any effect.
    moved = difference[difference != 0]
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(RESAMPLES, len(moved)))
    extreme = int((np.abs(signs @ moved) >= abs(difference.sum()) - 1e-9).sum())
    return Comparison(
        measure=name,
        a=float(a.mean()),
        b=float(b.mean()),
        wins=int((difference > 0).sum()),
        ties=int((difference == 0).sum()),
        losses=int((difference < 0).sum()),
        p=(extreme + 1) / (RESAMPLES + 1),
    )
