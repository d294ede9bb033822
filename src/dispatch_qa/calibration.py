"""From scores to a probability that the dispatches answer, fitted for one model by `eval/calibrate.py`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

FILE = "data/calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the best hit's score: 1 / (1 + exp(-(slope * score + bias))).

    Below `threshold`, a probability in [0, 1], the answer is that the dispatches do not say.
    """

    slope: float
    bias: float
    threshold: float

    def probability(self, score: float) -> float:
        """The probability, in [0, 1], that a question whose best hit has `score` is answered."""
        return 1 / (1 + math.exp(-(self.slope * score + self.bias)))


def load_calibration(fingerprint: str) -> Calibration | None:
    """The calibration that ships for the model of that fingerprint, if there is one."""
    shipped: dict[str, Any] = json.loads(files("dispatch_qa").joinpath(FILE).read_text(encoding="utf-8"))
    if shipped["fingerprint"] != fingerprint:
        return None
    return Calibration(shipped["slope"], shipped["bias"], shipped["threshold"])
