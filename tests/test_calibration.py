from __future__ import annotations

import json
from importlib.resources import files

import pytest

from dispatch_qa.calibration import FILE, Calibration, load_calibration
from dispatch_qa.models import FINGERPRINT


def test_probability_is_the_logistic_curve() -> None:
    curve = Calibration(slope=2, bias=-1, threshold=0.5)
    assert curve.probability(0.5) == pytest.approx(0.5)
    assert curve.probability(1.0) == pytest.approx(0.7310586)
    assert curve.probability(0.0) == pytest.approx(0.2689414)


def test_the_default_model_is_calibrated_and_higher_scores_are_likelier() -> None:
    curve = load_calibration(FINGERPRINT)
    assert curve is not None
    assert 0 < curve.threshold < 1
    assert curve.probability(0.7) < curve.probability(0.8) < curve.probability(0.9)


def test_the_shipped_file_says_what_it_was_fitted_on_and_how_to_fit_it_again() -> None:
    card = json.loads(files("dispatch_qa").joinpath(FILE).read_text(encoding="utf-8"))
    assert "eval/questions.jsonl" in card["fitted_on"]
    assert card["fitted_by"] == "python eval/calibrate.py"


def test_another_model_has_no_calibration() -> None:
    assert load_calibration("sentence-transformers/0123") is None
