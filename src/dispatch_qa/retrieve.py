"""Question to hits: candidates by meaning and by words, rescored by their sentences, near-identical ones once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dispatch_qa.alike import SAME_PASSAGE, jaccard, triples
from dispatch_qa.lexical import covered, holds, terms, weights
from dispatch_qa.records import Hit, Passage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SENTENCE_WEIGHT = 0.5
"""How much of the cosines is the best sentence's, the rest being the passage's: flat between 0.4 and 0.6."""

LEXICAL_WEIGHT = 0.1
"""Weight of the covered words beside the cosines: it pays most within a language, and costs nothing across."""

EVIDENCE_LEXICAL_WEIGHT = 0.08
"""The same for choosing the sentence to show."""

SIMILAR_LENGTH, CLOSE = 0.6, 0.9
"""Passages that differ more in length, or whose cosine is less, do not repeat each other.

Of Wikipedia's passages with words cut or exchanged until they only just count as repeats, none differed so much in
length and 99 in 100 were closer.
"""

FEW = 1_000
RARE = 0.1
"""A term that stands in more passages than `FEW` and than this share of them proposes none: it tells nothing."""

LITERAL = 1_000
"""At most so many passages that may hold the phrases of a question are read to see whether they do."""


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
    @property
    def copies(self) -> tuple[str, ...]: ...


class Library(Protocol):
    """Where candidates come from."""

    def nearest(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]: ...
    def matching(self, asked: Iterable[str], n: int) -> list[int]: ...
    def holding(self, phrases: Iterable[Sequence[str]], n: int) -> list[int]: ...
    def frequency(self, asked: Iterable[str]) -> dict[str, int]: ...
    def counts(self) -> tuple[int, int]: ...
    def passages(self, ids: Iterable[int]) -> Iterable[Candidate]: ...


def retrieve(
    question: str,
    query: npt.NDArray[np.float32],
    library: Library,
    candidates: int,
    k: int,
    phrases: Sequence[str] = (),
) -> list[Hit]:
    """The `k` best passages for a question.

    Args:
        question: its text.
        query: its vector, float32 (dim,), less its background: see `background`.
        candidates: how many passages each of the two searches, by meaning and by words, proposes.
        phrases: what a passage must hold literally to count.

    Returns:
        At most `k` hits, best first; equals by their place in the store. A passage that repeats a better
        one nearly word for word is told as its copy.
    """
    n = max(candidates, k)
    _, passages = library.counts()
    frequency = library.frequency(terms(question))
    weight = weights(frequency, passages)
    known = {term: count for term, count in frequency.items() if count}
    rare = [term for term, count in known.items() if count <= max(FEW, RARE * passages)]
    if phrases:
        proposed = set(library.holding([terms(phrase) for phrase in phrases], LITERAL))
    else:
        proposed = {number for number, _ in library.nearest(query, n)} | set(library.matching(rare or known, n))
    found = [one for one in library.passages(sorted(proposed)) if not phrases or holds(one.text, phrases)]
    scored = sorted((_scored(query, weight, candidate) for candidate in found), key=lambda one: -one.score)
    kept: list[tuple[_Scored, list[str]]] = []
    for one in scored:
        copies = next((copies for better, copies in kept if _repeats(one.candidate, better.candidate)), None)
        if copies is not None:
            copies += [one.candidate.passage.dispatch_id, *one.candidate.copies]
        elif len(kept) < k:
            kept.append((one, list(one.candidate.copies)))
    return [_hit(one, weight, copies) for one, copies in kept]


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: Candidate
    cosines: npt.NDArray[np.float32]  # (sentences,), of the question and each sentence
    dense: float
    lexical: float
    score: float


def _scored(query: npt.NDArray[np.float32], weight: Mapping[str, float], candidate: Candidate) -> _Scored:
    cosines = candidate.sentence_vectors @ query
    dense, sentence = _cosine(float(candidate.vector @ query)), _cosine(float(cosines.max()))
    lexical = covered(candidate.text, weight)
    meaning = (1 - SENTENCE_WEIGHT) * dense + SENTENCE_WEIGHT * sentence
    score = (meaning + LEXICAL_WEIGHT * lexical) / (1 + LEXICAL_WEIGHT)
    return _Scored(candidate, cosines, dense, lexical, score)


def _repeats(one: Candidate, other: Candidate) -> bool:
    # Nearly the same words have nearly the same length and vector, which is far quicker to tell.
    shorter, longer = sorted((len(one.text), len(other.text)))
    return (
        shorter >= SIMILAR_LENGTH * longer
        and float(one.vector @ other.vector) >= CLOSE
        and jaccard(triples(one.text), triples(other.text)) >= SAME_PASSAGE
    )


def _hit(one: _Scored, weight: Mapping[str, float], copies: Iterable[str]) -> Hit:
    passage, text = one.candidate.passage, one.candidate.text
    inside = [text[span.start - passage.span.start : span.end - passage.span.start] for span in passage.sentences]
    evidence = [
        float(c) + EVIDENCE_LEXICAL_WEIGHT * covered(t, weight) for c, t in zip(one.cosines, inside, strict=True)
    ]
    return Hit(
        passage=passage,
        best=passage.sentences[evidence.index(max(evidence))],
        score=one.score,
        dense=one.dense,
        sentence=_cosine(float(one.cosines.max())),
        lexical=one.lexical,
        copies=tuple(sorted(set(copies) - {passage.dispatch_id})),
    )


def _cosine(product: float) -> float:
    """A dot product of unit vectors, freed of rounding beyond [-1, 1]."""
    return max(-1.0, min(1.0, product))
