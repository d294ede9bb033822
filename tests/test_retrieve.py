from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from dispatch_qa.lexical import terms
from dispatch_qa.records import Hit, Passage, Span
from dispatch_qa.retrieve import retrieve

Vector = npt.NDArray[np.float32]


@dataclass
class Found:
    """A candidate with the vectors that a test gives it."""

    passage: Passage
    text: str
    vector: Vector
    sentence_vectors: Vector
    copies: tuple[str, ...] = ()


class Shelf:
    """A library of a few candidates, searched by brute force."""

    def __init__(self, *found: Found) -> None:
        self.found = found

    def nearest(self, query: Vector, n: int) -> list[tuple[int, float]]:
        order = sorted(range(len(self.found)), key=lambda i: -float(self.found[i].vector @ query))
        return [(i, float(self.found[i].vector @ query)) for i in order[:n]]

    def frequency(self, asked: Iterable[str]) -> dict[str, int]:
        return {term: sum(term in terms(found.text) for found in self.found) for term in asked}

    def matching(self, asked: Iterable[str], n: int) -> list[int]:
        wanted = set(asked)
        return [i for i, found in enumerate(self.found) if wanted & set(terms(found.text))][:n]

    def holding(self, phrases: Iterable[Sequence[str]], n: int) -> list[int]:
        wanted = [" ".join(phrase) for phrase in phrases]
        return [i for i, found in enumerate(self.found) if all(p in " ".join(terms(found.text)) for p in wanted)][:n]

    def counts(self) -> tuple[int, int]:
        return 1, len(self.found)

    def passages(self, ids: Iterable[int]) -> list[Found]:
        return [self.found[i] for i in ids]


def unit(angle: float) -> Vector:
    """The unit vector in the plane whose cosine to (1, 0) is that of `angle` degrees."""
    radians = np.deg2rad(angle)
    return np.array([np.cos(radians), np.sin(radians)], np.float32)


def found(name: str, angle: float, *sentence_angles: float, text: str = "") -> Found:
    spans = tuple(Span(10 * i, 10 * i + 9) for i in range(len(sentence_angles)))
    passage = Passage(name, 1, Span(0, spans[-1].end), spans)
    return Found(passage, text or f"words of {name} only", unit(angle), np.stack([unit(a) for a in sentence_angles]))


QUERY = unit(0)


def retrieved(shelf: Shelf, candidates: int, k: int, question: str = "") -> list[Hit]:
    return retrieve(question, QUERY, shelf, candidates, k)


def test_score_is_half_passage_and_half_best_sentence_and_a_tenth_of_the_words() -> None:
    (hit,) = retrieved(Shelf(found("a", 60, 90, 0)), candidates=5, k=1)
    assert hit.dense == pytest.approx(0.5)
    assert hit.sentence == pytest.approx(1.0)
    assert hit.lexical == 0
    assert hit.score == pytest.approx(0.75 / 1.1)
    (hit,) = retrieved(Shelf(found("a", 60, 90, 0, text="Babcock et BAE")), candidates=5, k=1, question="Babcock ?")
    assert hit.lexical == 1
    assert hit.score == pytest.approx(0.85 / 1.1)
    assert hit.best == Span(10, 19)


def test_a_better_sentence_outranks_a_better_passage() -> None:
    hits = retrieved(Shelf(found("passage", 30, 60), found("sentence", 40, 0)), candidates=5, k=2)
    assert [hit.passage.dispatch_id for hit in hits] == ["sentence", "passage"]


def test_gives_at_most_k_best_first() -> None:
    shelf = Shelf(*(found(f"d{angle}", angle, angle) for angle in (50, 10, 30, 20, 40)))
    hits = retrieved(shelf, candidates=5, k=3)
    assert [hit.passage.dispatch_id for hit in hits] == ["d10", "d20", "d30"]


def test_only_candidates_of_the_index_are_rescored() -> None:
    shelf = Shelf(found("near", 10, 80), found("far", 20, 0))
    assert [hit.passage.dispatch_id for hit in retrieved(shelf, candidates=1, k=1)] == ["near"]


def test_k_above_candidates_still_gives_k() -> None:
    shelf = Shelf(*(found(f"d{angle}", angle, angle) for angle in (10, 20, 30)))
    assert len(retrieved(shelf, candidates=1, k=3)) == 3


def test_near_identical_passages_are_told_once() -> None:
    text = "Kiev a accueilli une autre conférence à laquelle ont participé les plus grands fabricants"
    shelf = Shelf(
        found("first", 10, 10, text=text),
        found("copy", 11, 11, text=text.upper()),
        found("pick-up", 12, 12, text=text + " britanniques"),
        found("other", 30, 30, text="Une tout autre phrase, qui ne dit rien de Kiev ni de personne"),
    )
    assert [hit.passage.dispatch_id for hit in retrieved(shelf, candidates=9, k=4)] == ["first", "other"]


def test_passages_of_one_or_two_words_are_compared_too() -> None:
    shelf = Shelf(
        found("a", 10, 10, text="Fin."),
        found("b", 20, 20, text="fin."),
        found("c", 30, 30, text="Suite."),
    )
    assert [hit.passage.dispatch_id for hit in retrieved(shelf, candidates=9, k=3)] == ["a", "c"]


def test_an_empty_library_gives_no_hit() -> None:
    assert retrieved(Shelf(), candidates=5, k=3) == []


def test_scores_stay_within_their_range() -> None:
    vector = np.array([1.0000001, 0], np.float32)
    candidate = Found(Passage("a", 1, Span(0, 9), (Span(0, 9),)), "text", vector, vector[None, :])
    (hit,) = retrieved(Shelf(candidate), candidates=5, k=1)
    assert (hit.dense, hit.sentence) == (1.0, 1.0)
    assert hit.score == pytest.approx(1 / 1.1)


def test_a_passage_with_the_questions_words_is_a_candidate_though_its_meaning_is_far() -> None:
    shelf = Shelf(found("near", 10, 10), found("far", 80, 80, text="obus de 155 mm"))
    hits = retrieved(shelf, candidates=1, k=2, question="155 mm ?")
    assert {hit.passage.dispatch_id for hit in hits} == {"near", "far"}


def test_rare_words_outrank_common_ones() -> None:
    common = [found(f"c{n}", 20, 20, text=f"les armes numéro {n}") for n in range(9)]
    shelf = Shelf(*common, found("rare", 20, 20, text="Rheinmetall seul"))
    assert retrieved(shelf, candidates=20, k=1, question="les Rheinmetall ?")[0].passage.dispatch_id == "rare"


def test_the_sentence_that_holds_the_words_is_the_evidence_among_equals() -> None:
    passage = Passage("a", 1, Span(0, 22), (Span(0, 9), Span(10, 22)))
    candidate = Found(passage, "Rien ici. Rheinmetall.", unit(10), np.stack([unit(20), unit(20)]))
    assert retrieved(Shelf(candidate), 5, 1, question="Rheinmetall ?")[0].best == Span(10, 22)


def test_phrases_leave_only_the_passages_that_hold_them() -> None:
    shelf = Shelf(
        found("near", 10, 10, text="la conférence de Londres"),
        found("far", 80, 80, text="obus de 155 mm"),
        found("apart", 20, 20, text="155 obus d'un mm"),
    )
    hits = retrieve("155 mm", QUERY, shelf, 1, 3, phrases=["155 mm"])
    assert [hit.passage.dispatch_id for hit in hits] == ["far"]
    assert retrieve("?", QUERY, shelf, 9, 3, phrases=["Rheinmetall"]) == []
