"""Fit what the reader's logits mean: `python training/fit.py --data DIR`, after training.

A logistic curve over the best passage's retrieval score less the level of the question's language, the reader's logit
and share of the question's words, and what is known of question and dispatch (`Pair`); on the tuning parts of the
shipped dispatch's questions and of PIAF with questions about other things. Both sets and both classes weigh the same,
and the threshold is the highest that lets through `KEEP` of each set's answerable questions. Figures on the parts that
neither training nor fitting saw go to `training/results/calibration.json`. The dispatches written for the training are
of one hand with what trained the reader, which is surer of them than of others: they are measured, and fit nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from data import load
from pipeline import Observed, Seen, observations, of_dispatch, of_piaf, of_written
from score import f1
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from written import read as read_written

from dispatch_qa.calibration import READER_FILE, Calibration, points, with_card
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader import load_reader
from dispatch_qa.reader.evidence import SURE, worth_reading
from dispatch_qa.settings import default_cache

TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / READER_FILE
RESULTS = Path(__file__).parent / "results" / "calibration.json"
KEEP = 0.9
ROUNDS = 4  # the curve and the levels of languages follow from each other
BINS = 10
RIGHT = 0.5  # of words, their F1 with the gold ones


def read(one: Observed) -> Sequence[Seen]:
    """The passages that are read for a question."""
    return one.seen[: worth_reading([seen.score for seen in one.seen])]


def best(one: Observed, rank: float) -> Seen | None:
    """The passage that a question's answer would come from; `None` where retrieval found none."""
    return max(read(one), key=lambda seen: rank * seen.score + seen.here, default=None)


def words_f1(one: Observed, top: Seen | None) -> float:
    """The F1 of the words found in a passage with the gold ones, the best where there are several, in [0, 1]."""
    return max(f1(top.words, gold, one.copy_language) for gold in one.golds) if top else 0.0


def ranking(observed: Sequence[Observed]) -> float:
    """What a score weighs beside a logit, from pairs of a right and a wrong passage for one question."""
    pairs = [
        (right.score - wrong.score, right.here - wrong.here)
        for one in observed
        for right in read(one)
        for wrong in read(one)
        if right.relevant and not wrong.relevant
    ]
    mirrored = np.array(pairs + [(-a, -b) for a, b in pairs])
    labels = np.arange(len(mirrored)) < len(pairs)
    score, here = LogisticRegression(C=1e6, fit_intercept=False).fit(mirrored, labels).coef_[0]
    return round(float(score / here), 3)


def fit(observed: Sequence[Observed]) -> Calibration:
    """The curve and the threshold."""
    labels = np.array([one.answerable for one in observed])
    groups = [f"{one.dataset} {one.answerable}" for one in observed]
    weights = np.array([len(observed) / groups.count(group) for group in groups])
    rank = ranking(observed)
    tops = [best(one, rank) for one in observed]
    found = np.array([top is not None for top in tops])
    level: dict[str, float] = {}
    for _ in range(ROUNDS):
        features = np.array([_features(top, level) for top in tops if top])
        # Scores lie within a tenth of each other: the penalty would set the slope, not the data.
        curve = LogisticRegression(C=1e6, max_iter=1000).fit(features, labels[found], sample_weight=weights[found])
        values = [round(float(value), 4) for value in (*curve.coef_[0], curve.intercept_[0])]
        slope, here, lexical, absent, same, bias = values
        fitted = Calibration(slope, bias, 0.0, here, lexical, absent, same, rank, level)
        level = levels(observed, fitted)
    chances, datasets = chance(observed, fitted), np.array([one.dataset for one in observed])
    threshold = min(np.quantile(chances[labels & (datasets == name)], 1 - KEEP) for name in set(datasets))
    return replace(fitted, threshold=round(float(threshold), 4))


def levels(observed: Sequence[Observed], curve: Calibration) -> dict[str, float]:
    """By how much a language's questions lie above the mean of all, over passages in other languages.

    In scores, with what the curve makes of all else beside them. From the questions that are there in every language:
    what they ask is the same, so that the language alone differs.
    """
    sums: dict[str, list[float]] = {}
    for one in observed:
        top = best(one, curve.rank)
        if one.dataset == "dispatch" and top and not top.pair.alike:
            beside = curve.here * top.here + curve.lexical * top.lexical + curve.absent * top.pair.lacking
            sums.setdefault(one.language, []).append(top.score + beside / curve.slope)
    means = {language: float(np.mean(some)) for language, some in sums.items()}
    middle = np.mean(list(means.values()))
    return {language: round(mean - float(middle), 4) for language, mean in sorted(means.items())}


def _features(top: Seen, level: Mapping[str, float]) -> tuple[float, ...]:
    score = top.score - level.get(top.pair.language, 0.0)
    return score, top.here, top.lexical, top.pair.lacking, top.pair.alike


def chance(observed: Sequence[Observed], curve: Calibration) -> Any:
    """The probability for each question that it is answered, float64 (questions,); 0 where nothing was found."""
    return np.array([_probability(best(one, curve.rank), curve) for one in observed])


def _probability(top: Seen | None, curve: Calibration) -> float:
    return curve.probability(top.score, top.here, top.lexical, top.pair) if top else 0.0


def figures(observed: Sequence[Observed], curve: Calibration) -> dict[str, Any]:
    """How well unanswerable questions are told and refused, passages ranked, and the words found."""
    labels = np.array([one.answerable for one in observed])
    chances = chance(observed, curve)
    refused = chances < curve.threshold
    answerable = [(one, best(one, curve.rank)) for one in observed if one.answerable]
    sure = [top is not None and top.share >= SURE for _, top in answerable]
    first = [(one, next((seen for seen in one.seen if seen.relevant), None)) for one, _ in answerable]
    evidence = [any(gold in seen.sentence for gold in one.golds) for one, seen in first if seen]
    words = [words_f1(one, top) for one, top in answerable]
    parts = {
        kind: round(float(roc_auc_score(labels[chosen], chances[chosen])), 3)
        for kind in sorted({one.kind for one in observed if not one.answerable})
        for chosen in [np.array([one.answerable or one.kind == kind for one in observed])]
    }
    languages = np.array([one.language for one in observed])
    return {
        "answerable": int(labels.sum()),
        "unanswerable": int((~labels).sum()),
        "auroc": round(float(roc_auc_score(labels, chances)), 3),
        "auroc by kind": parts,
        "refusing": {
            "precision": round(float((refused & ~labels).sum() / max(1, refused.sum())), 3),
            "recall": round(float(refused[~labels].mean()), 3),
            "answerable let through": round(float(1 - refused[labels].mean()), 3),
        },
        "by language": {  # let through of the answerable ones, refused of the others
            language: [
                round(float(1 - refused[asked & labels].mean()), 2),
                round(float(refused[asked & ~labels].mean()), 2),
            ]
            for language in dict.fromkeys(languages.tolist())
            for asked in [languages == language]
            if len(set(labels[asked].tolist())) == 2
        },
        "hit@1 without the reader": round(
            np.mean([any(seen.relevant for seen in one.seen[:1]) for one, _ in answerable]), 3
        ),
        "hit@1": round(np.mean([bool(top and top.relevant) for _, top in answerable]), 3),
        "hit@5": round(np.mean([any(seen.relevant for seen in one.seen) for one, _ in answerable]), 3),
        "evidence": round(float(np.mean(evidence)), 3),
        "words, f1": round(float(np.mean(words)), 3),
        "words right": round(float(np.mean([score >= RIGHT for score in words])), 3),
        "words told": round(float(np.mean(sure)), 3),
        "told words right": round(float(np.mean([score >= RIGHT for score in words], where=sure)), 3),
        "reliability": reliability(labels, chances),
    }


def reliability(labels: Any, chances: Any) -> list[dict[str, float]]:
    """By tenths of probability: how many questions, their mean probability, and the share that is answerable."""
    rows = []
    for place in range(BINS):
        inside = (chances >= place / BINS) & ((chances < (place + 1) / BINS) | (place == BINS - 1))
        if inside.any():
            mean, share = float(chances[inside].mean()), float(labels[inside].mean())
            rows.append({"n": int(inside.sum()), "probability": round(mean, 3), "answerable": round(share, 3)})
    return rows


def main() -> None:
    """Fit, write, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("training/work"), help="what was observed is kept here")
    data, work = vars(parser.parse_args()).values()
    reader = load_reader(FINGERPRINT, default_cache(), print)
    if reader is None:
        raise SystemExit("the reader is off on this machine")
    pool = load(data, read_written())
    sets: dict[str, Callable[[str], list[Observed]]] = {
        "dispatch": lambda part: of_dispatch(part, reader),
        "piaf": lambda part: of_piaf(part, reader, pool, data),
        "written": lambda part: of_written(part, reader, pool),
    }

    def observed(name: str, part: str) -> list[Observed]:
        return observations(work / f"{reader.name}-{name}-{part}.json", lambda: sets[name](part))

    tune = [*observed("dispatch", "tune"), *observed("piaf", "tune")]
    curve = fit(tune)
    parts = {"dispatch, report part": observed("dispatch", "report"), "PIAF, test part": observed("piaf", "test")}
    unseen = [one for several in parts.values() for one in several]
    card = {
        "fingerprint": FINGERPRINT,
        "reader": reader.name,
        **asdict(curve),
        "points": points(chance(unseen, curve).tolist(), [one.answerable for one in unseen], [curve.threshold]),
        "points_on": " and ".join(parts),
        "fitted_on": f"{len(tune)} questions: tuning parts of eval/questions.jsonl, in 8 languages, and of PIAF with "
        "questions about other things",
        "threshold_rule": f"lets through {KEEP:.0%} of the answerable tuning questions of each set",
        "fitted_by": "python training/fit.py --data DIR",
    }
    TARGET.write_text(with_card("[]", card), encoding="utf-8")
    parts["written, test part"] = observed("written", "test")
    told = {"reader": reader.name, **{name: figures(some, curve) for name, some in parts.items()}}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1), json.dumps(told, ensure_ascii=False, indent=1), sep="\n")


if __name__ == "__main__":
    main()
