"""Question to hits: candidates by meaning and by words, rescored by their sentences, near-identical ones once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dispatch_qa.alike import repeats
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
    scored = sorted(_scored(query, weight, found), key=lambda one: -one.score)
    return [_hit(one, weight, copies) for one, copies in _told_once(scored, k)]


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: Candidate
    cosines: npt.NDArray[np.float32]  # (sentences,), of the question and each sentence
    dense: float
    sentence: float
    lexical: float
    score: float


def _scored(
    query: npt.NDArray[np.float32], weight: Mapping[str, float], found: Sequence[Candidate]
) -> Iterator[_Scored]:
    if not found:
        return
    import numpy as np

    # Not by BLAS: what it gives for a row hangs on how many there are.
    passages = np.einsum("ij,j->i", np.stack([one.vector for one in found]), query)
    cosines = np.einsum("ij,j->i", np.concatenate([one.sentence_vectors for one in found]), query)
    starts = np.cumsum([0, *(len(one.sentence_vectors) for one in found)])
    # Dot products of unit vectors, freed of rounding beyond [-1, 1].
    dense = np.clip(passages.astype(np.float64), -1, 1)
    sentence = np.clip(np.maximum.reduceat(cosines, starts[:-1]).astype(np.float64), -1, 1)
    lexical = np.array([covered(one.text, weight) for one in found])
    meaning = (1 - SENTENCE_WEIGHT) * dense + SENTENCE_WEIGHT * sentence
    score = (meaning + LEXICAL_WEIGHT * lexical) / (1 + LEXICAL_WEIGHT)
    parts = zip(*(part.tolist() for part in (dense, sentence, lexical, score)), strict=True)
    for one, start, own in zip(found, starts.tolist(), parts, strict=False):
        yield _Scored(one, cosines[start : start + len(one.sentence_vectors)], *own)


def _told_once(scored: Sequence[_Scored], k: int) -> Iterator[tuple[_Scored, list[str]]]:
    """The first `k` that repeat no better one, each with the dispatches of those that repeat it."""
    import numpy as np

    vectors = np.stack([one.candidate.vector for one in scored]) if scored else np.zeros((0, 0), np.float32)
    lengths = np.array([len(one.candidate.text) for one in scored])
    left = np.arange(len(scored))
    for _ in range(k):
        if not left.size:
            return
        first, left = left[0], left[1:]
        better = scored[first]
        # Nearly the same words have nearly the same length and vector, which is far quicker to tell.
        shorter, longer = np.minimum(lengths[left], lengths[first]), np.maximum(lengths[left], lengths[first])
        near = np.flatnonzero(shorter >= SIMILAR_LENGTH * longer)
        near = near[np.einsum("ij,j->i", vectors[left[near]], vectors[first]) >= CLOSE]
        again = near[repeats(better.candidate.text, [scored[at].candidate.text for at in left[near]])]
        copies = [scored[at].candidate for at in left[again]]
        left = np.delete(left, again)
        yield better, [*better.candidate.copies, *(i for one in copies for i in (one.passage.dispatch_id, *one.copies))]


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
        sentence=one.sentence,
        lexical=one.lexical,
        copies=tuple(sorted(set(copies) - {passage.dispatch_id})),
    )
