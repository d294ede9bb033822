"""How much is measured. `FULL` is what the published figures are taken with, `QUICK` proves that all of it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

QUESTION = "Which British firms attended?"
PEERS = ("bare ONNX fp32", "bare ONNX int8", "plain script", "txtai", "semantra", "LangChain")


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes and repetitions of a run."""

    peers: tuple[str, ...] = PEERS
    repeats: int = 7
    """Fresh processes of each kind, for cold questions and builds."""
    rounds: int = 5
    """Rounds of workers that stay loaded, for warm questions and encoding."""
    questions: int = 200
    warm_passages: int = 1_500
    texts: str | None = None
    """A file of JSON lines with a field "text", in place of the made passages of the warm query."""
    encode_texts: int = 96
    vectors: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    vector_queries: int = 200
    vector_repeats: int = 3
    grow: tuple[int, ...] = (1_000, 10_000, 100_000)
    grow_real: int = 1_000
    """Passages that are also built with the real encoder."""
    grow_repeats: int = 3

    def as_dict(self) -> dict[str, Any]:
        """For the JSON of the results."""
        return asdict(self)


FULL = Options()
QUICK = Options(
    peers=("bare ONNX int8", "plain script", "txtai"),
    repeats=1,
    rounds=2,
    questions=8,
    warm_passages=30,
    encode_texts=8,
    vectors=(1_000, 5_000),
    vector_queries=20,
    vector_repeats=1,
    grow=(100, 300),
    grow_real=20,
    grow_repeats=1,
)
