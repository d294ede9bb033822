"""Fit the probability that the dispatches answer: `python eval/calibrate.py [--model NAME]`.

To be run after a change of model or scoring, for the default model or any other. Fits a logistic curve (Platt
scaling) to the best hit's score, on the tuning part of the shipped questions in all their languages, and writes the
model's card into `src/dispatch_qa/data/calibration.json`, with what refusing does to the part for reporting. The
threshold is the highest that still lets through `KEEP` of the answerable tuning questions.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from questions import LANGUAGES, load_questions
from sklearn.linear_model import LogisticRegression

from dispatch_qa import DispatchQA, Settings, build
from dispatch_qa.calibration import FILE, Calibration, points, with_card
from dispatch_qa.settings import DEFAULT_MODEL

KEEP = 0.95
TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / FILE


def main() -> None:
    """Fit, write and print what was fitted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="as for `dispatch-qa build`")
    model = parser.parse_args().model
    with TemporaryDirectory() as folder:
        settings = Settings(index=Path(folder) / "store", reader="off")
        build(settings, model=model, say=print)
        card = fitted(DispatchQA(settings))
    cards = TARGET.read_text(encoding="utf-8") if TARGET.exists() else "[]"
    TARGET.write_text(with_card(cards, card), encoding="utf-8")
    print(json.dumps(card, indent=1))


def fitted(dispatches: DispatchQA) -> dict[str, Any]:
    """The card of the model of a store that holds the shipped dispatch."""
    scores, answerable = best_scores(dispatches, "tune")
    # Scores lie within a tenth of each other: without this C the penalty, not the data, would set the slope.
    curve = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], answerable)
    slope, bias = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    lowest_kept = float(np.quantile(scores[answerable], 1 - KEEP))
    threshold = round(Calibration(slope, bias, 0.0).probability(lowest_kept), 4)
    unseen, labels = best_scores(dispatches, "report")
    chances = [Calibration(slope, bias, 0.0).probability(score) for score in unseen]
    return {
        "fingerprint": dispatches.info().fingerprint,
        "slope": round(slope, 4),
        "bias": round(bias, 4),
        "threshold": threshold,
        "fitted_on": f"eval/questions.jsonl, tuning part, {len(LANGUAGES)} languages: "
        f"{int(answerable.sum())} answerable and {int((~answerable).sum())} unanswerable questions",
        "threshold_rule": f"lets through {KEEP:.0%} of the answerable tuning questions",
        "fitted_by": "python eval/calibrate.py",
        "points": points(chances, labels.tolist(), [threshold]),
        "points_on": "eval/questions.jsonl, report part",
    }


def best_scores(dispatches: DispatchQA, part: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The best hit's score of each question of a part in each language, (questions,), and whether it is answered."""
    asked = [(q, q.text[language]) for q in load_questions() if q.part == part for language in LANGUAGES]
    scores = [dispatches.search(text, 1)[0].score for _, text in asked]
    return np.array(scores), np.array([question.answerable for question, _ in asked])


if __name__ == "__main__":
    main()
