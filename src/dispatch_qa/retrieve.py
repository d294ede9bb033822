"""Question to hits: candidates by passage, rescored by their best sentence, near-identical ones once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from dispatch_qa.records import Hit, Passage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SENTENCE_WEIGHT = 0.5
"""Share of the best sentence in a hit's score; the rest is the passage's. Half and half won on every pair tried."""

SAME_PASSAGE = 0.8
"""Passages that share this much of their words (Jaccard index of word triples) are told once."""


class Candidate(Protocol):
    """A stored passage, as retrieval sees it."""

    @property
    def passage(self) -> Passage: ...
    @property
    def text(self) -> str: ...
    @property
    def vector(self) -> npt.NDArray[np.float32]: ...
    @property
    def sentence_vectors(self) -> npt.NDArray[np.float32]: ...


class Library(Protocol):
    """Where candidates come from."""

    def nearest(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]: ...
    def passages(self, ids: Iterable[int]) -> Iterable[Candidate]: ...


def retrieve(query: npt.NDArray[np.float32], library: Library, candidates: int, k: int) -> list[Hit]:
    """The `k` best passages for a question.

    Args:
        query: the question's vector, float32 (dim,), unit length.
        candidates: how many passages the index proposes; sentences are compared only in those.

    Returns:
        At most `k` hits, best first; ties go to the passage that the index named first. A passage that
        repeats a better one nearly word for word is left out.
    """
    proposed = library.nearest(query, max(candidates, k))
    found = library.passages(passage_id for passage_id, _ in proposed)
    scored = [(_hit(query, candidate), candidate.text) for candidate in found]
    scored.sort(key=lambda pair: -pair[0].score)
    kept: list[tuple[Hit, frozenset[tuple[str, ...]]]] = []
    for hit, text in scored:
        if len(kept) == k:
            break
        triples = _triples(text)
        if not any(_jaccard(triples, other) >= SAME_PASSAGE for _, other in kept):
            kept.append((hit, triples))
    return [hit for hit, _ in kept]


def _hit(query: npt.NDArray[np.float32], candidate: Candidate) -> Hit:
    dense = _cosine(float(candidate.vector @ query))
    cosines = candidate.sentence_vectors @ query
    best = int(cosines.argmax())
    sentence = _cosine(float(cosines[best]))
    return Hit(
        passage=candidate.passage,
        best=candidate.passage.sentences[best],
        score=(1 - SENTENCE_WEIGHT) * dense + SENTENCE_WEIGHT * sentence,
        dense=dense,
        sentence=sentence,
    )


def _cosine(product: float) -> float:
    """A dot product of unit vectors, freed of rounding beyond [-1, 1]."""
    return max(-1.0, min(1.0, product))


def _triples(text: str) -> frozenset[tuple[str, ...]]:
    """The word triples of a text, or its only run of words where it has fewer; letter case does not count."""
    words = text.casefold().split()
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])


def _jaccard(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b)
