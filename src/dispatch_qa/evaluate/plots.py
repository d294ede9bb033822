"""Plots of a run as PNG: recall@k, how far the confidence can be trusted, and the confidences themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch_qa.evaluate.measure import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEPTH = 10
BINS = 10


def draw(records: Sequence[Record], folder: Path) -> list[Path]:
    """Write the plots that these records allow into `folder`; their files."""
    drawn = [_recall(records, folder / "recall.png")] if any(record.answerable for record in records) else []
    if len({record.answerable for record in records if record.confidence is not None}) == 2:
        drawn += [_reliability(records, folder / "reliability.png"), _histogram(records, folder / "confidence.png")]
    return drawn


def reliability(records: Sequence[Record]) -> list[tuple[float, float, int]]:
    """(mean confidence, share that the dispatches answer, questions) of each tenth of the scale that holds any."""
    bins: list[list[Record]] = [[] for _ in range(BINS)]
    for record in records:
        if record.confidence is not None:
            bins[min(int(record.confidence * BINS), BINS - 1)].append(record)
    return [
        (sum(r.confidence or 0.0 for r in part) / len(part), sum(r.answerable for r in part) / len(part), len(part))
        for part in bins
        if part
    ]


def _recall(records: Sequence[Record], file: Path) -> Path:
    answerable = [record for record in records if record.answerable]
    depths = range(1, DEPTH + 1)
    shares = [sum(bool(r.rank and r.rank <= k) for r in answerable) / len(answerable) for k in depths]
    with _Figure(file, "questions whose answer is among the first k", "k", "share") as axes:
        axes.plot(list(depths), shares, marker="o")
        axes.set_ylim(min(0.5, *shares), 1.0)
    return file


def _reliability(records: Sequence[Record], file: Path) -> Path:
    points = reliability(records)
    with _Figure(file, "how far the confidence can be trusted", "confidence", "share that is answered") as axes:
        axes.plot([0, 1], [0, 1], linestyle="--", color="grey")
        axes.plot([x for x, _, _ in points], [y for _, y, _ in points], marker="o")
        for x, y, n in points:
            axes.annotate(f"{n:,}", (x, y), textcoords="offset points", xytext=(4, -10), fontsize=8)
    return file


def _histogram(records: Sequence[Record], file: Path) -> Path:
    with _Figure(file, "confidence", "confidence", "questions") as axes:
        for answerable, label in ((True, "the dispatches answer"), (False, "they do not say")):
            values = [r.confidence for r in records if r.answerable is answerable and r.confidence is not None]
            axes.hist(values, bins=40, range=(0, 1), alpha=0.6, label=f"{label} ({len(values):,})")
        axes.legend()
    return file


class _Figure:
    """A figure with one pair of axes, saved when all is drawn."""

    def __init__(self, file: Path, title: str, x: str, y: str) -> None:
        from matplotlib.figure import Figure

        self._file, self._figure = file, Figure(figsize=(6, 4), layout="constrained")
        self._axes: Axes = self._figure.subplots()
        self._axes.set(title=title, xlabel=x, ylabel=y)

    def __enter__(self) -> Axes:
        return self._axes

    def __exit__(self, *_: object) -> None:
        self._figure.savefig(self._file, dpi=120)
