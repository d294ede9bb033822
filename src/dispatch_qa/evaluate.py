"""Score retrieval, evidence, citing and refusing over judged questions. Uses the public API alone.

A judged set is a folder in BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` and, where known,
`answers.jsonl`. Every judged query counts; one that finds nothing scores 0.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dispatch_qa.answer import check
from dispatch_qa.errors import CitationError, InputRejected, StoreMissing, StoreOutdated
from dispatch_qa.qa import DispatchQA, build
from dispatch_qa.readers.text import canonical
from dispatch_qa.records import Answer, Citation, Dispatch
from dispatch_qa.settings import Settings

DEPTH = 10
MEASURES = {
    "hit@1": "Success@1",
    "hit@5": "Success@5",
    "hit@10": "Success@10",
    "recall@10": "R@10",
    "mrr@10": "RR@10",
} | {"ndcg@10": "nDCG@10"}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its judgements.

    `relevant` names what answers it, as `Judged.key` names a citation; empty where nothing does. `gold` maps
    such a name to the words that answer there.
    """

    query_id: str
    text: str
    language: str
    relevant: frozenset[str] = frozenset()
    gold: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of judged questions over dispatches; `key` names, for a citation, what the judgements are about."""

    name: str
    dispatches: tuple[Dispatch, ...]
    queries: tuple[Query, ...]
    key: Callable[[Citation], str]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one question: for reading failures. `rank` is that of the first relevant citation, from 1."""

    query_id: str
    text: str
    language: str
    answerable: bool
    rank: int | None
    found: tuple[str, ...]
    evidence: bool | None
    confidence: float | None
    supported: bool
    exact: bool
    milliseconds: float


def require_libraries() -> None:
    """Raise `ModuleNotFoundError` where the extra `eval` is not installed."""
    import ir_measures  # noqa: F401
    import sklearn  # noqa: F401


def read_folder(folder: Path) -> Judged:
    """The judged set in `folder`. Raises `InputRejected` naming the file and what is wrong with it."""
    try:
        corpus = [json.loads(line) for line in _lines(folder / "corpus.jsonl")]
        queries = [json.loads(line) for line in _lines(folder / "queries.jsonl")]
        relevant: defaultdict[str, set[str]] = defaultdict(set)
        with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if int(row["score"]) > 0:
                    relevant[row["query-id"]].add(row["corpus-id"])
        gold: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        if (folder / "answers.jsonl").exists():
            for line in _lines(folder / "answers.jsonl"):
                row = json.loads(line)
                gold[row["query_id"]][row["corpus_id"]].append(canonical(row["text"]))
        dispatches = tuple(
            Dispatch(row["_id"], canonical(row["text"]), row.get("metadata", {}).get("language", "und"))
            for row in corpus
            if row["text"].strip()
        )
        judged = tuple(
            Query(
                row["_id"],
                row["text"],
                row.get("metadata", {}).get("language", "und"),
                frozenset(ids),
                gold[row["_id"]],
            )
            for row in queries
            if (ids := relevant[row["_id"]]) or row.get("metadata", {}).get("answerable") is False
        )
    except OSError as error:
        raise InputRejected(f"{error.filename} cannot be read: {error.strerror}; BEIR's layout is expected") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputRejected(f"{folder} is not in BEIR's layout: {type(error).__name__} {error}") from error
    return Judged(folder.name, dispatches, judged, lambda citation: citation.dispatch_id)


def read_unanswerable(file: Path, languages: Iterable[str]) -> list[Query]:
    """Questions that no dispatch answers, from JSON lines with `text`, in the given languages."""
    wanted = set(languages)
    rows = [json.loads(line) for line in _lines(file)]
    return [
        Query(row.get("_id", str(number)), row["text"], row.get("metadata", {}).get("language", "und"))
        for number, row in enumerate(rows)
        if row.get("metadata", {}).get("language", "und") in wanted
    ]


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
    languages = sorted({dispatch.language for dispatch in judged.dispatches})
    figures["by_pair"] = {}
    for language in languages if len(languages) > 1 else []:
        part = _in_language(judged, language)
        found = ask_all(part, part.queries, store_for(part, settings, say))
        by_language = report(part, found, None)["by_language"]
        figures["by_pair"] |= {f"{asked}->{language}": values for asked, values in by_language.items()}
    return figures, records


def _in_language(judged: Judged, language: str) -> Judged:
    """The dispatches of one language, and the questions that they answer."""
    dispatches = tuple(dispatch for dispatch in judged.dispatches if dispatch.language == language)
    ids = {dispatch.id for dispatch in dispatches}
    queries = tuple(replace(q, relevant=q.relevant & ids) for q in judged.queries if q.relevant & ids)
    return replace(judged, name=f"{judged.name}-{language}", dispatches=dispatches, queries=queries)


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


def report(judged: Judged, records: Sequence[Record], threshold: float | None) -> dict[str, Any]:
    """The figures of a run, fractions of 1, latencies in milliseconds."""
    answerable = [record for record in records if record.answerable]
    languages = sorted({record.language for record in answerable})
    evidence = [record.evidence for record in answerable if record.evidence is not None]
    relevant = {query.query_id: query.relevant for query in judged.queries}
    return {
        "dataset": judged.name,
        "n": len(answerable),
        "overall": ranking(answerable, relevant),
        "by_language": {
            language: ranking([r for r in answerable if r.language == language], relevant) for language in languages
        },
        "refusal": refusal(records, threshold),
        "evidence": sum(evidence) / len(evidence) if evidence else None,
        "citations_exact": sum(record.exact for record in records) / len(records) if records else None,
        "latency_ms": {"p50": _quantile(records, 0.5), "p99": _quantile(records, 0.99)},
    }


def ranking(records: Sequence[Record], relevant: dict[str, frozenset[str]]) -> dict[str, float]:
    """The ranking measures over judged questions, by ir-measures."""
    import ir_measures

    qrels = [
        ir_measures.Qrel(record.query_id, name, 1) for record in records for name in sorted(relevant[record.query_id])
    ]
    # A question that found nothing is in the run too, with a name that nothing has, so that it counts as 0.
    run = [
        ir_measures.ScoredDoc(record.query_id, name, -place)
        for record in records
        for place, name in enumerate(record.found or ("",))
    ]
    measures = {name: ir_measures.parse_measure(text) for name, text in MEASURES.items()}
    found = ir_measures.calc_aggregate(list(measures.values()), qrels, run) if records else {}
    return {name: round(float(found[measure]), 4) for name, measure in measures.items()} if found else {}


def refusal(records: Sequence[Record], threshold: float | None) -> dict[str, float | None]:
    """How well unanswerable questions are told: AUROC of the confidence; precision, recall and F1 of refusing."""
    from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

    known = [record for record in records if record.confidence is not None]
    labels = [not record.answerable for record in known]
    if len(set(labels)) < 2:
        return {"auroc": None, "precision": None, "recall": None, "f1": None, "threshold": threshold}
    auroc = roc_auc_score(labels, [-(record.confidence or 0.0) for record in known])
    refused = [not record.supported for record in known]
    precision, recall, f1, _ = precision_recall_fscore_support(labels, refused, average="binary", zero_division=0)
    named = {"auroc": auroc, "precision": precision, "recall": recall, "f1": f1}
    return {name: round(float(value), 4) for name, value in named.items()} | {"threshold": threshold}


def write_records(records: Sequence[Record], file: Path) -> None:
    """One question a line, for reading what failed."""
    lines = [json.dumps(asdict(record), ensure_ascii=False) for record in records]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quantile(records: Sequence[Record], share: float) -> float | None:
    import numpy as np

    return round(float(np.quantile([record.milliseconds for record in records], share)), 2) if records else None


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
