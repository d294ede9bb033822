"""Stand-ins for the models: deterministic, instant, and good enough to find words again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dispatch_qa.errors import InputRejected
from dispatch_qa.reader import Found, Reading
from dispatch_qa.records import Span


class FakeEmbedder:
    """Embeds a text as the sum of one pseudo-random vector a word; texts that share words are close."""

    def __init__(self, name: str = "fake", dim: int = 256, max_tokens: int = 500) -> None:
        self.name = name
        self.fingerprint = f"fake/{name}"
        self.lane = "fake"
        self.dim = dim
        self.max_tokens = max_tokens

    def count_tokens(self, text: str) -> int:
        return sum(1 + len(word) // 8 for word in text.split())

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.stack([self._vector(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        for text in texts:
            if self.count_tokens(text) > self.max_tokens:
                raise InputRejected(f"too long: {text[:20]}")
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        total = np.full(self.dim, 1e-3, np.float32)
        for word in text.casefold().split():
            seed = int.from_bytes(hashlib.sha256(word.strip(".,;:!?\"'()").encode()).digest()[:8], "big")
            total += np.random.default_rng(seed).standard_normal(self.dim).astype(np.float32)
        return total / np.linalg.norm(total)


class FakeReader:
    """Finds the first word of a passage that is capitalised and not in the question; answers if they share a word."""

    name = "fake-reader"

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        return [self._reading(set(question.casefold().split()), passage) for passage in passages]

    def _reading(self, asked: set[str], passage: str) -> Reading:
        words = list(re.finditer(r"\w+", passage))
        shared = sum(word.group().casefold() in asked for word in words)
        new = [w for w in words if w.group()[0].isupper() and w.group().casefold() not in asked]
        found = tuple(Found(Span(*word.span()), 1.0) for word in new[:2])
        return Reading(float(shared) - 1.5, found)
