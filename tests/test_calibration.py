from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import pytest

from dispatch_qa.calibration import FILE, Calibration, Pair, load_calibration, points, with_card
from dispatch_qa.models import FINGERPRINT


def test_probability_is_the_logistic_curve() -> None:
    curve = Calibration(slope=2, bias=-1, threshold=0.5)
    assert curve.probability(0.5) == pytest.approx(0.5)
    assert curve.probability(1.0) == pytest.approx(0.7310586)
    assert curve.probability(0.0) == pytest.approx(0.2689414)


def test_a_question_is_measured_by_the_level_of_its_language() -> None:
    curve = Calibration(slope=2, bias=0, threshold=0.5, levels={"pl": -0.25})
    pair = Pair(language="pl")
    assert curve.probability(0.5, pair=pair) == curve.probability(0.75) == curve.probability(0.75, pair=Pair())


def test_what_is_known_of_question_and_dispatch_counts() -> None:
    curve = Calibration(slope=0, bias=0, threshold=0.5, absent=-3, same=-1)
    told = [
        curve.probability(0, pair=Pair(lacking, "fr", alike)) for lacking in (False, True) for alike in (False, True)
    ]
    assert told == sorted(told, reverse=True)
    assert len(set(told)) == 4


def test_the_default_model_is_calibrated_and_higher_scores_are_likelier() -> None:
    curve = load_calibration(FINGERPRINT)
    assert curve is not None
    assert 0 < curve.threshold < 1
    assert curve.probability(0.7) < curve.probability(0.8) < curve.probability(0.9)


def test_the_shipped_file_says_what_it_was_fitted_on_and_how_to_fit_it_again() -> None:
    (card,) = json.loads(files("dispatch_qa").joinpath(FILE).read_text(encoding="utf-8"))
    assert "eval/questions.jsonl" in card["fitted_on"]
    assert card["fitted_by"] == "python eval/calibrate.py"


def test_what_refusing_does_is_told_at_the_threshold_that_is_set() -> None:
    curve = load_calibration(FINGERPRINT)
    assert curve is not None
    assert curve.threshold in [point.threshold for point in curve.points]
    assert curve.refusing.threshold == curve.threshold
    everything, nothing = replace(curve, threshold=1).refusing, replace(curve, threshold=0).refusing
    assert (everything.recall, everything.answered) == (1, 0)
    assert (nothing.recall, nothing.answered) == (0, 1)


def test_points_count_what_is_refused() -> None:
    chances, answerable = [0.9, 0.4, 0.3, 0.1], [True, True, False, False]
    told = {threshold: rest for threshold, *rest in points(chances, answerable, [0.42])}
    assert told[0.0] == [1, 0, 1]
    assert told[0.2] == [1, 0.5, 1]
    assert told[0.42] == [0.667, 1, 0.5]
    assert told[1.0] == [0.5, 1, 0]


def test_a_card_takes_the_place_of_the_one_for_the_same_model() -> None:
    first = {"fingerprint": "a", "slope": 1.0, "points": [[0.0, 1.0, 0.0, 1.0]]}
    both = with_card(with_card("[]", first), {"fingerprint": "b"})
    again = json.loads(with_card(both, first | {"slope": 2.0}))
    assert [card["fingerprint"] for card in again] == ["b", "a"]
    assert again[1] == first | {"slope": 2.0}
    assert "[0.0, 1.0, 0.0, 1.0]" in both


def test_another_model_has_no_calibration() -> None:
    assert load_calibration("sentence-transformers/0123") is None
