"""Fit the probability that the dispatches answer: `python eval/calibrate.py`, after a change of model or scoring.

Fits a logistic curve (Platt scaling) to the best hit's score, on the tuning part of the shipped questions in all
their languages, and writes `src/dispatch_qa/data/calibration.json`. The threshold is the highest that still lets
through `KEEP` of the answerable tuning questions.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from questions import LANGUAGES, load_questions
from sklearn.linear_model import LogisticRegression

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.calibration import FILE, Calibration

KEEP = 0.95
TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / FILE


def main() -> None:
    """Fit, write and print what was fitted."""
    settings = Settings()
    dispatches = DispatchQA(settings)
    asked = [(q, q.text[language]) for q in load_questions() if q.part == "tune" for language in LANGUAGES]
    scores = np.array([dispatches.search(text)[0].score for _, text in asked])
    answerable = np.array([question.answerable for question, _ in asked])
    # Scores lie within a tenth of each other: without this C the penalty, not the data, would set the slope.
    curve = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], answerable)
    slope, bias = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    lowest_kept = float(np.quantile(scores[answerable], 1 - KEEP))
    threshold = Calibration(slope, bias, 0.0).probability(lowest_kept)
    card = {
        "fingerprint": dispatches.info().fingerprint,
        "slope": round(slope, 4),
        "bias": round(bias, 4),
        "threshold": round(threshold, 4),
        "fitted_on": f"eval/questions.jsonl, tuning part, {len(LANGUAGES)} languages: "
        f"{int(answerable.sum())} answerable and {int((~answerable).sum())} unanswerable questions",
        "threshold_rule": f"lets through {KEEP:.0%} of the answerable tuning questions",
        "fitted_by": "python eval/calibrate.py",
    }
    TARGET.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
