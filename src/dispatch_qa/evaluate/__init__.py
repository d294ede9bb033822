"""Score retrieval, evidence, citing and refusing over judged questions. Uses the public API alone.

A judged set is a folder in BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` and, where known,
`answers.jsonl`. Every judged query counts; one that finds nothing scores 0.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dispatch_qa.answer import check
from dispatch_qa.errors import CitationError, StoreMissing, StoreOutdated
from dispatch_qa.evaluate.compare import Comparison, compare
from dispatch_qa.evaluate.judged import Judged, Query, in_language, read_folder, read_unanswerable
from dispatch_qa.evaluate.measure import Record, ranking, refusal, report
from dispatch_qa.evaluate.runs import keep, read_records
from dispatch_qa.qa import DispatchQA, build
from dispatch_qa.records import Answer, Citation
from dispatch_qa.settings import Settings

__all__ = [
    "Comparison",
    "Judged",
    "Query",
    "Record",
    "ask_all",
    "compare",
    "evaluate",
    "in_language",
    "keep",
    "ranking",
    "read_folder",
    "read_records",
    "read_unanswerable",
    "refusal",
    "report",
    "require_libraries",
    "store_for",
]

DEPTH = 10
Say = Callable[[str], None]


def require_libraries() -> None:
    """Raise `ModuleNotFoundError` where the extra `eval` is not installed."""
    import ir_measures  # noqa: F401
    import matplotlib as mpl  # noqa: F401
    import sklearn  # noqa: F401


def evaluate(
    judged: Judged, settings: Settings, unanswerable: Sequence[Query] = (), say: Say = lambda line: None
) -> tuple[dict[str, Any], list[Record]]:
    """Ask every judged question and the `unanswerable` ones; the figures, and what became of each question.

    Where the dispatches are in several languages, `by_pair` scores each language of question against the
    dispatches of one language at a time.
    """
    dispatches = store_for(judged, settings, say)
    records = ask_all(judged, (*judged.queries, *unanswerable), dispatches)
    figures = report(judged, records, dispatches.threshold)
    info = dispatches.info()
    figures["made_with"] = {"model": info.model, "fingerprint": info.fingerprint, "lane": info.lane}
    languages = sorted({dispatch.language for dispatch in judged.dispatches})
    figures["by_pair"] = {}
    for language in languages if len(languages) > 1 else []:
        part = in_language(judged, language)
        found = ask_all(part, part.queries, store_for(part, settings, say))
        by_language = report(part, found, None)["by_language"]
        figures["by_pair"] |= {f"{asked}->{language}": values for asked, values in by_language.items()}
    return figures, records


def store_for(judged: Judged, settings: Settings, say: Say) -> DispatchQA:
    """The set's store, opened; built on first use into the cache, under a name that its content decides."""
    digest = hashlib.sha256(repr([(d.id, d.sha256, d.language) for d in judged.dispatches]).encode()).hexdigest()[:16]
    place = replace(settings, index=settings.cache / "eval" / f"{judged.name}-{settings.lane}-{digest}")
    try:
        return DispatchQA(place, say=say)
    except (StoreMissing, StoreOutdated):
        say(f"Building the store of {judged.name} ({len(judged.dispatches):,} dispatches) …")
        build(place, dispatches=judged.dispatches, force=True, say=say)
        return DispatchQA(place, say=say)


def ask_all(judged: Judged, queries: Sequence[Query], dispatches: DispatchQA) -> list[Record]:
    """Ask every question, one at a time."""
    dispatches.ask("warm up")  # the first question pays for loading
    return [_record(judged, query, dispatches) for query in queries]


def _record(judged: Judged, query: Query, dispatches: DispatchQA) -> Record:
    started = time.perf_counter()
    answer = dispatches.ask(query.text, 2 * DEPTH)
    milliseconds = 1000 * (time.perf_counter() - started)
    citations = answer.citations or answer.nearest
    found = tuple(dict.fromkeys(judged.key(citation) for citation in citations))[:DEPTH]
    rank = next((place for place, name in enumerate(found, start=1) if name in query.relevant), None)
    return Record(
        query_id=query.query_id,
        text=query.text,
        language=query.language,
        answerable=bool(query.relevant),
        rank=rank,
        found=found,
        evidence=_evidence(judged, query, citations),
        confidence=answer.confidence,
        supported=answer.supported,
        exact=_exact(answer, dispatches),
        milliseconds=round(milliseconds, 3),
    )


def _evidence(judged: Judged, query: Query, citations: Sequence[Citation]) -> bool | None:
    """Whether the evidence in the first relevant passage holds the gold words; `None` where that is not known."""
    first = next((c for c in citations if judged.key(c) in query.gold), None)
    return None if first is None else any(gold in first.evidence.quote for gold in query.gold[judged.key(first)])


def _exact(answer: Answer, dispatches: DispatchQA) -> bool:
    try:
        for citation in answer.citations + answer.nearest:
            check(citation, dispatches.show(citation.dispatch_id))
    except CitationError:
        return False
    return True
