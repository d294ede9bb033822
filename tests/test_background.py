from __future__ import annotations

import numpy as np
import pytest

from dispatch_qa.background import SHARE, without_background
from dispatch_qa.models import FINGERPRINT

QUESTION = np.eye(1, 384, dtype=np.float32)[0]


def test_a_share_of_the_languages_mean_question_is_taken_off() -> None:
    french = QUESTION - without_background(QUESTION, "fr", FINGERPRINT)
    # The mean of unit vectors is shorter than they are; of questions, which lie close together, not by much.
    assert 0.8 * SHARE < np.linalg.norm(french) < SHARE
    arabic = QUESTION - without_background(QUESTION, "ar", FINGERPRINT)
    assert not np.allclose(french, arabic)


def test_a_language_without_a_mean_of_its_own_takes_that_of_all() -> None:
    polish = without_background(QUESTION, "pl", FINGERPRINT)
    assert np.array_equal(polish, without_background(QUESTION, "und", FINGERPRINT))
    assert np.linalg.norm(QUESTION - polish) == pytest.approx(0.85 * SHARE, abs=0.06)


def test_another_models_question_stays_as_it_is() -> None:
    assert without_background(QUESTION, "fr", "fake") is QUESTION
