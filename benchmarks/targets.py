"""What issue 3 asked for, and what a run of the benchmarks says was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.figures import OURS

Results = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio (or, without a baseline, a value) that was asked for; `at_least` says which side of it is good."""

    what: str
    figure: str
    measure: str
    limit: float
    asked: str
    stretch: str = ""
    baseline: str | None = None
    series: str = OURS
    at_least: bool = False

    def reached(self, results: Results) -> float | None:
        """What the run says, or `None` where it did not measure that."""
        try:
            found = results["figures"][self.figure]["measures"][self.measure]["series"][self.series]
            return float(found["ratio"][self.baseline] if self.baseline else found["median"])
        except KeyError:
            return None

    def is_met(self, value: float) -> bool:
        """Whether that value is on the right side of the limit."""
        return value >= self.limit if self.at_least else value <= self.limit


_PER_S = {"at_least": True, "baseline": "sentence-transformers"}
_MILLION, _EXACT = "search_1000000", "exact float32"
_FLAT = "stand-in encoder, 1,000 passages"

TARGETS = (
    Target("cold question, wall, of txtai's", "cold_ask", "wall_s", 1 / 7, "≤ 1/7", "≤ 1/12", "txtai"),
    Target("… of the bare script's (int8)", "cold_ask", "wall_s", 1.4, "≤ 1.4×", "", "bare ONNX int8"),
    Target("peak memory of that process, of txtai's", "cold_ask", "peak_mb", 1 / 2, "≤ 1/2", "≤ 1/3", "txtai"),
    Target("encoding, 186-token texts, of torch fp32", "encoding", "long_per_s", 5, "≥ 5×", "≥ 8×", **_PER_S),  # type: ignore[arg-type]
    Target("warm query p50, of the plain script's", "warm_query", "p50_ms", 1 / 5, "≤ 1/5", "≤ 1/10", "plain script"),
    Target("1M vectors: recall@10", _MILLION, "recall", 0.99, "≥ .99", at_least=True),
    Target("1M vectors: p50, of exact's", _MILLION, "p50_ms", 1 / 10, "≤ 1/10", "", _EXACT),
    Target("1M vectors: memory, of float32's", _MILLION, "memory_bytes", 1 / 3, "≤ 1/3", "", _EXACT),
    Target(
        "build time per passage, 100k of 1k",
        "growth",
        "ms",
        1.15,
        "≤ 1.15×",
        "",
        _FLAT,
        series="stand-in encoder, 100,000 passages",
    ),
)
