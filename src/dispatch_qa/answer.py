"""Hits to an answer: the words that answer, or the evidence, numbered and checked; or a plain refusal."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import replace

from dispatch_qa.attribution import speaker
from dispatch_qa.calibration import Calibration
from dispatch_qa.errors import CitationError
from dispatch_qa.records import Answer, Citation, Dispatch, Hit, LeftOut, Quote, Span

REFUSAL = "The dispatches do not say."

NEARLY_AS_LIKELY = 0.9
"""Of the best passage's probability, what another one needs for its words to be told as well."""

DispatchOf = Callable[[str], Dispatch | None]


def answer(
    question: str,
    hits: Sequence[Hit],
    dispatch_of: DispatchOf,
    calibration: Calibration | None,
    left_out: tuple[LeftOut, ...] = (),
) -> Answer:
    """What `hits`, best first, say to `question`.

    The answer's text is the words that a reader found, each once, with the numbers of their passages; where none is
    sure of them, the best sentence of each passage with its number. A passage whose calibrated probability is under the
    threshold is cited without words; where that of the best hit is, the text is `REFUSAL` and the passages are told as
    merely nearest. Without a calibration for the model, every hit counts as support and `confidence` is `None`.

    Raises:
        CitationError: a hit does not fit the dispatch that it names.
    """
    confidence = _confidence(hits[0], calibration) if calibration and hits else None
    if not hits or not _supports(hits[0], calibration):
        return refuse(question, hits, dispatch_of, REFUSAL, confidence, left_out)
    citations = _cited([hit if _supports(hit, calibration) else _wordless(hit) for hit in hits], dispatch_of)
    words = [f"{quote.quote} {''.join(f'[{n}]' for n in numbers)}" for quote, numbers in told_once(citations)]
    text = "\n".join(words or (f"{c.evidence.quote} [{c.number}]" for c in citations))
    return Answer(question, True, confidence, text, citations, (), left_out)


def told_once(citations: Sequence[Citation]) -> list[tuple[Quote, tuple[int, ...]]]:
    """The words that answer, each once, with the numbers of all passages that give them; none if the first has none.

    Of the passages, best first, those count whose probability comes near that of the first.
    """
    if not citations or not citations[0].answer:
        return []
    found: dict[str, tuple[Quote, tuple[int, ...]]] = {}
    least = NEARLY_AS_LIKELY * (citations[0].probability or 0)
    for citation in citations:
        if citation.answer and (citation.probability or 0) >= least:
            key = " ".join(citation.answer.quote.casefold().split())
            words, numbers = found.get(key, (citation.answer, ()))
            found[key] = words, (*numbers, citation.number)
    return list(found.values())


def supporting(hits: Sequence[Hit], calibration: Calibration | None) -> Sequence[Hit]:
    """Those of `hits` that would support an answer by themselves."""
    return [hit for hit in hits if _supports(hit, calibration)]


def refuse(
    question: str,
    nearest: Sequence[Hit],
    dispatch_of: DispatchOf,
    text: str,
    confidence: float | None = None,
    left_out: tuple[LeftOut, ...] = (),
) -> Answer:
    """The answer that the dispatches do not say, with the nearest passages, without words. Raises as `answer`."""
    cited = _cited([_wordless(hit) for hit in nearest], dispatch_of)
    return Answer(question, False, confidence, text, (), cited, left_out)


def _cited(hits: Sequence[Hit], dispatch_of: DispatchOf) -> tuple[Citation, ...]:
    return tuple(cite(number, hit, dispatch_of) for number, hit in enumerate(hits, start=1))


def _supports(hit: Hit, calibration: Calibration | None) -> bool:
    return calibration is None or _confidence(hit, calibration) >= calibration.threshold


def _wordless(hit: Hit) -> Hit:
    return replace(hit, answer=None)


def _confidence(hit: Hit, calibration: Calibration) -> float:
    if hit.probability is not None:
        return hit.probability
    # What a reader was there for and did not read lay too far behind.
    return 0.0 if calibration.here else calibration.probability(hit.score)


def cite(number: int, hit: Hit, dispatch_of: DispatchOf) -> Citation:
    """The citation of a hit, cut from its dispatch and checked against it."""
    passage, best = hit.passage, hit.best
    dispatch = dispatch_of(passage.dispatch_id)
    if dispatch is None:
        raise CitationError(f"citation {number} names the dispatch {passage.dispatch_id!r}, which is not in the store")
    said = speaker(best.of(dispatch.text), dispatch.language)
    citation = Citation(
        number=number,
        dispatch_id=dispatch.id,
        language=dispatch.language,
        paragraph=passage.paragraph,
        start=passage.span.start,
        end=passage.span.end,
        quote=passage.span.of(dispatch.text),
        evidence=_quote(best, dispatch),
        score=hit.score,
        version=dispatch.version,
        sha256=dispatch.sha256,
        note=_note(dispatch),
        copies=hit.copies,
        page=bisect(dispatch.pages, best.start) or None,
        answer=_quote(hit.answer, dispatch) if hit.answer else None,
        probability=hit.probability,
        said_by=_quote(Span(best.start + said.start, best.start + said.end), dispatch) if said else None,
    )
    check(citation, dispatch)
    return citation


def _note(dispatch: Dispatch) -> str | None:
    """What a reader of the dispatch must know of it."""
    if dispatch.status != "corrected":
        return None
    return f"corrected version: {dispatch.advisory}" if dispatch.advisory else "corrected version"


def check(citation: Citation, dispatch: Dispatch) -> None:
    """Raise `CitationError` unless the quote stands in `dispatch`, the evidence in it, answer and speaker in that."""
    quote, evidence = Quote(citation.start, citation.end, citation.quote), citation.evidence
    for name, inner, around, outer in (
        ("quote", quote, "quote", quote),
        ("evidence", evidence, "quote", quote),
        ("answer", citation.answer, "evidence", evidence),
        ("speaker", citation.said_by, "evidence", evidence),
    ):
        if inner is None:
            continue
        start, end = inner.start, inner.end
        if not 0 <= start < end <= len(dispatch.text) or dispatch.text[start:end] != inner.quote:
            raise CitationError(
                f"the {name} of citation {citation.number} is not what stands in {dispatch.id!r} at {start}:{end}"
            )
        if not outer.start <= start < end <= outer.end:
            raise CitationError(f"the {name} of citation {citation.number} lies outside its {around}")


def _quote(span: Span, dispatch: Dispatch) -> Quote:
    return Quote(span.start, span.end, span.of(dispatch.text))
