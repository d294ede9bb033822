"""Hits to an answer: the evidence of each passage, numbered and checked, or a plain refusal."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence

from dispatch_qa.calibration import Calibration
from dispatch_qa.errors import CitationError
from dispatch_qa.records import Answer, Citation, Dispatch, Hit, LeftOut, Quote

REFUSAL = "The dispatches do not say."

DispatchOf = Callable[[str], Dispatch | None]


def answer(
    question: str,
    hits: Sequence[Hit],
    dispatch_of: DispatchOf,
    calibration: Calibration | None,
    left_out: tuple[LeftOut, ...] = (),
) -> Answer:
    """What `hits`, best first, say to `question`.

    The answer's text is the best sentence of each passage with its number. Where the calibrated probability
    of the best hit is under the threshold, the text is `REFUSAL` and the passages are told as merely nearest.
    Without a calibration for the model, every hit counts as support and `confidence` is `None`.

    Raises:
        CitationError: a hit does not fit the dispatch that it names.
    """
    confidence = calibration.probability(hits[0].score) if calibration and hits else None
    if not supporting(hits[:1], calibration):
        return refuse(question, hits, dispatch_of, REFUSAL, confidence, left_out)
    citations = _cited(hits, dispatch_of)
    text = "\n".join(f"{citation.evidence.quote} [{citation.number}]" for citation in citations)
    return Answer(question, True, confidence, text, citations, (), left_out)


def supporting(hits: Sequence[Hit], calibration: Calibration | None) -> Sequence[Hit]:
    """Those of `hits` that would support an answer by themselves."""
    if calibration is None:
        return hits
    return [hit for hit in hits if calibration.probability(hit.score) >= calibration.threshold]


def refuse(
    question: str,
    nearest: Sequence[Hit],
    dispatch_of: DispatchOf,
    text: str,
    confidence: float | None = None,
    left_out: tuple[LeftOut, ...] = (),
) -> Answer:
    """The answer that the dispatches do not say, with the nearest passages as such. Raises as `answer`."""
    return Answer(question, False, confidence, text, (), _cited(nearest, dispatch_of), left_out)


def _cited(hits: Sequence[Hit], dispatch_of: DispatchOf) -> tuple[Citation, ...]:
    return tuple(cite(number, hit, dispatch_of) for number, hit in enumerate(hits, start=1))


def cite(number: int, hit: Hit, dispatch_of: DispatchOf) -> Citation:
    """The citation of a hit, cut from its dispatch and checked against it."""
    passage, best = hit.passage, hit.best
    dispatch = dispatch_of(passage.dispatch_id)
    if dispatch is None:
        raise CitationError(f"citation {number} names the dispatch {passage.dispatch_id!r}, which is not in the store")
    citation = Citation(
        number=number,
        dispatch_id=dispatch.id,
        language=dispatch.language,
        paragraph=passage.paragraph,
        start=passage.span.start,
        end=passage.span.end,
        quote=passage.span.of(dispatch.text),
        evidence=Quote(best.start, best.end, best.of(dispatch.text)),
        score=hit.score,
        version=dispatch.version,
        sha256=dispatch.sha256,
        note=_note(dispatch),
        copies=hit.copies,
        page=bisect(dispatch.pages, best.start) or None,
    )
    check(citation, dispatch)
    return citation


def _note(dispatch: Dispatch) -> str | None:
    """What a reader of the dispatch must know of it."""
    if dispatch.status != "corrected":
        return None
    return f"corrected version: {dispatch.advisory}" if dispatch.advisory else "corrected version"


def check(citation: Citation, dispatch: Dispatch) -> None:
    """Raise `CitationError` unless quote and evidence stand in `dispatch` where they say, one inside the other."""
    evidence = citation.evidence
    for name, start, end, quote in (
        ("quote", citation.start, citation.end, citation.quote),
        ("evidence", evidence.start, evidence.end, evidence.quote),
    ):
        if not 0 <= start < end <= len(dispatch.text) or dispatch.text[start:end] != quote:
            raise CitationError(
                f"the {name} of citation {citation.number} is not what stands in {dispatch.id!r} at {start}:{end}"
            )
    if not citation.start <= evidence.start < evidence.end <= citation.end:
        raise CitationError(f"the evidence of citation {citation.number} lies outside its quote")
