"""One validated settings object. Nothing else reads the environment, but the options of the serving commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dispatch_qa.errors import InputRejected

DEFAULT_MODEL = "multilingual-e5-small"
MAX_QUESTION_CHARS = 2_000


def shipped_index() -> Path:
    """The index that ships with the package: inside the wheel, or at the top of a source checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "index"
    return inside if inside.is_dir() else package.parent.parent / "index"


def default_cache() -> Path:
    """The user's cache folder for prepared models, by the platform's own convention."""
    from platformdirs import user_cache_path

    return user_cache_path("dispatch-qa", appauthor=False)


def default_data() -> Path:
    """The user's folder for what is theirs to keep, by the platform's own convention."""
    from platformdirs import user_data_path

    return user_data_path("dispatch-qa", appauthor=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run can be told.

    Raises `InputRejected` where a value makes no sense.
    """

    index: Path = field(default_factory=shipped_index)
    cache: Path = field(default_factory=default_cache)
    k: int = 3
    """Passages that an answer may cite."""
    candidates: int = 50
    """Passages taken from the index before the sentences rescore them."""
    passage_tokens: int = 256
    """Longest passage, in the model's tokens; a model with less room lowers it."""
    batch_size: int = 32
    lane: str = "auto"
    """How the default model runs: "auto" for the fastest way that agrees, "torch" for sentence-transformers."""

    threshold: float | None = None
    """The probability under which a question is refused; by default the one that the calibration ships."""
    reader: str = "auto"
    """Whether the words that answer are read out of the passages: "auto" where the model has a reader, or "off"."""

    def __post_init__(self) -> None:
        for name in ("k", "candidates", "passage_tokens", "batch_size"):
            value = getattr(self, name)
            if not 1 <= value <= 10_000:
                raise InputRejected(f"{name} is {value}; it must lie between 1 and 10,000")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputRejected(f"threshold is {self.threshold:g}; it is a probability, between 0 and 1")
        for name, other in (("lane", "torch"), ("reader", "off")):
            if getattr(self, name) not in ("auto", other):
                raise InputRejected(f"{name} is {getattr(self, name)!r}; it must be 'auto' or {other!r}")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings with `DISPATCH_QA_INDEX`, `_CACHE`, `_LANE`, `_READER` and `_THRESHOLD` from the environment."""
        env = os.environ if env is None else env
        index, cache, threshold = (env.get(f"DISPATCH_QA_{name}") for name in ("INDEX", "CACHE", "THRESHOLD"))
        try:
            refuse_under = float(threshold) if threshold else None
        except ValueError as error:
            raise InputRejected(f"DISPATCH_QA_THRESHOLD is {threshold!r}; it is a probability, as in 0.4") from error
        return cls(
            index=Path(index) if index else shipped_index(),
            cache=Path(cache) if cache else default_cache(),
            lane=env.get("DISPATCH_QA_LANE") or "auto",
            reader=env.get("DISPATCH_QA_READER") or "auto",
            threshold=refuse_under,
        )
