"""The JSON of a figure: every raw value, median, spread, and ratios to baselines of the same run."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

OURS = "Dispatch QA"

Values = Mapping[str, Sequence[float]]
"""Series → the values of its rounds."""
Baselines = Mapping[str, Mapping[str, str]]
"""Label of a baseline → {series: the series that it is compared with}."""


def against(label: str, series: Sequence[str]) -> dict[str, dict[str, str]]:
    """All series compared with the one of that name, where it was measured."""
    return {label: dict.fromkeys(series, label)} if label in series else {}


def measure(label: str, values: Values, baselines: Baselines | None = None) -> dict[str, Any]:
    """One measure of a figure.

    Args:
        label: what it is, with its unit.
        values: what was measured.
        baselines: what the medians are divided by.
    """
    medians = {name: statistics.median(found) for name, found in values.items()}
    series: dict[str, Any] = {}
    for name, found in values.items():
        series[name] = {
            "values": [_rounded(value) for value in found],
            "median": _rounded(medians[name]),
            "min": _rounded(min(found)),
            "max": _rounded(max(found)),
            "ratio": {
                base: _rounded(medians[name] / medians[other[name]])
                for base, other in (baselines or {}).items()
                if name in other and medians[other[name]]
            },
        }
    return {"label": label, "series": series}


def figure(title: str, measures: Mapping[str, dict[str, Any]], **facts: object) -> dict[str, Any]:
    """A figure: what was done, its measures by name, and what else is worth knowing."""
    return {"title": title, "measures": dict(measures), "facts": facts}


def percentile(values: Sequence[float], q: float) -> float:
    """The q-th percentile (0 to 100), linear between the two nearest values."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * q / 100
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def _rounded(value: float) -> float:
    """Five significant digits; more would be noise."""
    return float(f"{value:.5g}")
