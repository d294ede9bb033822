from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch_qa.answer import REFUSAL, answer, check, cite, supporting
from dispatch_qa.calibration import Calibration
from dispatch_qa.errors import CitationError
from dispatch_qa.present import answer_markdown, answer_text
from dispatch_qa.records import Answer, Dispatch, Hit, Passage, Span

TEXT = "Kiev a parlé. Londres a répondu.\n\nBerlin se tait."
DISPATCH = Dispatch("d", TEXT, "fr")
FIRST = Passage("d", 1, Span(0, 32), (Span(0, 13), Span(14, 32)))
SECOND = Passage("d", 2, Span(34, 49), (Span(34, 49),))

# Even odds at a score of 0.5, and the threshold there too.
CALIBRATION = Calibration(slope=10, bias=-5, threshold=0.5)


def dispatch_of(dispatch_id: str) -> Dispatch | None:
    return DISPATCH if dispatch_id == "d" else None


def hit(passage: Passage, best: Span, score: float = 0.9) -> Hit:
    return Hit(passage, best, score, score, score, 0.0)


def test_the_answer_is_each_evidence_sentence_with_its_number() -> None:
    hits = [hit(FIRST, Span(14, 32)), hit(SECOND, Span(34, 49), 0.6)]
    given = answer("Qui ?", hits, dispatch_of, CALIBRATION)
    assert given.supported
    assert given.text == "Londres a répondu. [1]\nBerlin se tait. [2]"
    assert given.nearest == ()
    first, second = given.citations
    assert (first.number, first.paragraph, first.language) == (1, 1, "fr")
    assert first.quote == "Kiev a parlé. Londres a répondu."
    assert first.evidence.quote == TEXT[first.evidence.start : first.evidence.end] == "Londres a répondu."
    assert (second.number, second.quote, second.score) == (2, "Berlin se tait.", 0.6)


def test_confidence_is_the_calibrated_probability_of_the_best_hit() -> None:
    given = answer("Qui ?", [hit(FIRST, Span(0, 13), 0.5)], dispatch_of, CALIBRATION)
    assert given.confidence == pytest.approx(0.5)
    assert given.supported


def test_below_the_threshold_the_dispatches_do_not_say() -> None:
    given = answer("Quoi ?", [hit(FIRST, Span(0, 13), 0.49)], dispatch_of, CALIBRATION)
    assert not given.supported
    assert given.text == REFUSAL
    assert given.citations == ()
    assert [citation.quote for citation in given.nearest] == ["Kiev a parlé. Londres a répondu."]


def test_what_a_reader_left_unread_supports_nothing() -> None:
    read = replace(CALIBRATION, here=1.0)
    assert [one.score for one in supporting([hit(FIRST, Span(0, 13))], CALIBRATION)] == [0.9]
    assert supporting([hit(FIRST, Span(0, 13))], read) == []


def test_sentences_are_printed_once_where_only_a_later_passage_has_words() -> None:
    first, second = hit(FIRST, Span(14, 32)), replace(hit(SECOND, Span(34, 49), 0.6), answer=Span(34, 40))
    printed = answer_text(answer("Qui ?", [first, second], dispatch_of, CALIBRATION))
    assert printed.count("Londres a répondu.") == 2  # the passage, and the evidence in it
    assert printed.startswith("[1]")


def test_a_passage_under_the_threshold_is_cited_without_words() -> None:
    first = replace(hit(FIRST, Span(14, 32)), answer=Span(14, 21))
    for score, words in ((0.51, "Berlin"), (0.49, None)):
        second = replace(hit(SECOND, Span(34, 49), score), answer=Span(34, 40))
        given = answer("Qui ?", [first, second], dispatch_of, CALIBRATION)
        told = [citation.answer.quote if citation.answer else None for citation in given.citations]
        assert told == ["Londres", words]


def test_without_hits_the_dispatches_do_not_say() -> None:
    given = answer("Quoi ?", [], dispatch_of, CALIBRATION)
    assert (given.supported, given.confidence, given.text) == (False, None, REFUSAL)


def test_without_calibration_every_hit_counts_and_no_confidence_is_claimed() -> None:
    given = answer("Qui ?", [hit(FIRST, Span(0, 13), -0.9)], dispatch_of, None)
    assert (given.supported, given.confidence) == (True, None)


def test_a_citation_of_an_unknown_dispatch_names_itself() -> None:
    with pytest.raises(CitationError, match="citation 3 names the dispatch 'gone'"):
        cite(3, hit(replace(FIRST, dispatch_id="gone"), Span(0, 13)), dispatch_of)


def test_a_stale_span_is_an_error_and_not_dropped() -> None:
    stale = Passage("d", 2, Span(34, 60), (Span(34, 60),))
    with pytest.raises(CitationError, match="the quote of citation 1 is not what stands in 'd' at 34:60"):
        answer("Qui ?", [hit(FIRST, Span(0, 13)), hit(stale, Span(34, 60))][1:], dispatch_of, CALIBRATION)


def test_evidence_outside_its_passage_is_an_error() -> None:
    with pytest.raises(CitationError, match="lies outside its quote"):
        cite(1, hit(FIRST, Span(34, 49)), dispatch_of)


@pytest.mark.parametrize("field", ["quote", "evidence"])
def test_a_changed_letter_is_found(field: str) -> None:
    citation = cite(1, hit(FIRST, Span(0, 13)), dispatch_of)
    check(citation, DISPATCH)
    changed = (
        replace(citation, quote=citation.quote.replace("é", "e"))
        if field == "quote"
        else replace(citation, evidence=replace(citation.evidence, quote="Kiev a parle."))
    )
    with pytest.raises(CitationError, match=f"the {field} of citation 1"):
        check(changed, DISPATCH)


def test_of_a_paged_format_the_page_of_the_evidence_is_named() -> None:
    def page(pages: tuple[int, ...], best: Span) -> int | None:
        return cite(1, hit(FIRST, best), lambda _: replace(DISPATCH, pages=pages)).page

    first, second = FIRST.sentences
    assert page((), first) is None
    assert (page((0, second.start), first), page((0, second.start), second)) == (1, 2)
    # A page without text begins where the one behind it does.
    assert page((0, 0, second.start), first) == 2
    shown = cite(1, hit(FIRST, second), lambda _: replace(DISPATCH, pages=(0, second.start)))
    given = Answer("Qui ?", True, None, "", (shown,))
    assert "d, page 2, paragraph 1, characters 0–" in answer_text(given)
    assert "d, page 2, paragraph 1, characters 0–" in answer_markdown(given)
