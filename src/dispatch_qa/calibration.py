"""From scores to a probability that the dispatches answer, fitted for one model.

By `eval/calibrate.py` for retrieval alone, by `training/fit.py` for retrieval with a reader.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any

FILE = "data/calibration.json"
READER_FILE = "data/reader-calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over a hit's score and, where a reader has read it, its logit and the words that it shares.

    1 / (1 + exp(-(slope * score + here * logit + lexical * share + bias))). Below `threshold`, a probability in
    [0, 1], the answer is that the dispatches do not say. Passages that a reader has read are ranked by
    rank * score + logit.
    """

    slope: float
    bias: float
    threshold: float
    here: float = 0.0
    lexical: float = 0.0
    rank: float = 0.0

    def probability(self, score: float, logit: float = 0.0, share: float = 0.0) -> float:
        """The probability, in [0, 1], that a question is answered.

        Args:
            score: its best hit's, in [-1, 1].
            logit: the reader's for that hit.
            share: of the question's words, by their weight, those that the hit holds, in [0, 1].
        """
        sum_ = self.slope * score + self.here * logit + self.lexical * share + self.bias
        return 1 / (1 + math.exp(-sum_)) if sum_ > -700 else 0.0


def load_calibration(fingerprint: str, reader: str | None = None) -> Calibration | None:
    """The calibration that ships for the model of that fingerprint, and for that reader over it, if there is one."""
    file = files("dispatch_qa").joinpath(READER_FILE if reader else FILE)
    if not file.is_file():
        return None
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if told["fingerprint"] != fingerprint or told.get("reader") != reader:
        return None
    return Calibration(**{field.name: told[field.name] for field in fields(Calibration) if field.name in told})
