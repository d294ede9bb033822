"""What became of each question, and the figures over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispatch_qa.evaluate.judged import Judged

MEASURES = {
    "hit@1": "Success@1",
    "hit@5": "Success@5",
    "hit@10": "Success@10",
    "recall@10": "R@10",
    "mrr@10": "RR@10",
    "ndcg@10": "nDCG@10",
}


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


def _quantile(records: Sequence[Record], share: float) -> float | None:
    import numpy as np

    return round(float(np.quantile([record.milliseconds for record in records], share)), 2) if records else None
