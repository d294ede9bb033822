"""From scores to a probability that the dispatches answer, fitted model by model.

By `eval/calibrate.py` for retrieval alone, by `training/fit.py` for retrieval with a reader. Each writes a card: the
curve, what it was fitted on and by, and what refusing at each threshold does to questions that it was not fitted to.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from typing import Any

from dispatch_qa.records import Refusing

FILE = "data/calibration.json"
READER_FILE = "data/reader-calibration.json"
"""Each a JSON list of cards, one a model."""

STEPS = 20
"""Thresholds from 0 to 1 at which a card tells what refusing does."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is known of a question and a dispatch.

    `lacking` tells whether the question names a number or a nation that the dispatch does not, `language` is the
    question's, and `alike` whether it is the dispatch's too.
    """

    lacking: bool = False
    language: str = ""
    alike: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over a hit's score and, where a reader has read it, over what else is known of it.

    1 / (1 + exp(-(slope * (score - level) + bias + here * logit + lexical * share + absent * lacking + same * alike))).
    Below `threshold`, a probability in [0, 1], the answer is that the dispatches do not say. Passages that a reader has
    read are ranked by rank * score + logit.

    `levels` tells by how much a language's questions lie higher than the same questions in other languages, all that is
    known of them reckoned in scores; 0 for a language that is not in it.
    """

    slope: float
    bias: float
    threshold: float
    here: float = 0.0
    lexical: float = 0.0
    absent: float = 0.0
    same: float = 0.0
    rank: float = 0.0
    levels: Mapping[str, float] = field(default_factory=dict)
    points: tuple[Refusing, ...] = ()

    @property
    def refusing(self) -> Refusing:
        """What refusing at the threshold does, as measured at the nearest one that was."""
        nearest = min(self.points, key=lambda point: abs(point.threshold - self.threshold), default=Refusing(0.0))
        return replace(nearest, threshold=self.threshold)

    def at(self, threshold: float | None) -> Calibration:
        """The curve with that threshold, or as it is where that is `None`."""
        return self if threshold is None else replace(self, threshold=threshold)

    def probability(self, score: float, logit: float = 0.0, share: float = 0.0, pair: Pair | None = None) -> float:
        """The probability, in [0, 1], that a question is answered.

        Args:
            score: its best hit's, in [-1, 1].
            logit: the reader's for that hit.
            share: of the question's words, by their weight, those that the hit holds, in [0, 1].
            pair: what is known of the question and the hit's dispatch.
        """
        pair = pair or Pair()
        sum_ = self.slope * (score - self.levels.get(pair.language, 0.0)) + self.here * logit + self.bias
        sum_ += self.lexical * share + self.absent * pair.lacking + self.same * pair.alike
        return 1 / (1 + math.exp(-sum_)) if sum_ > -700 else 0.0


def load_calibration(fingerprint: str, reader: str | None = None) -> Calibration | None:
    """The calibration that ships for the model of that fingerprint, and for that reader over it, if there is one."""
    file = files("dispatch_qa").joinpath(READER_FILE if reader else FILE)
    for card in json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ():
        if (card["fingerprint"], card.get("reader")) == (fingerprint, reader):
            curve = {one.name: card[one.name] for one in fields(Calibration) if one.name in card}
            return Calibration(**curve | {"points": tuple(Refusing(*point) for point in card["points"])})
    return None


def with_card(cards: str, card: dict[str, Any]) -> str:
    """The JSON of `cards` with `card` in it, in the place of one for the same model."""
    others = [one for one in json.loads(cards) if one["fingerprint"] != card["fingerprint"]]
    text = json.dumps([*others, card], indent=1) + "\n"
    # A point a line.
    return re.sub(r"\[[\d.,\s]+\]", lambda row: re.sub(r"\s+", " ", row[0]).replace("[ ", "[").replace(" ]", "]"), text)


def points(chances: Sequence[float], answerable: Sequence[bool], thresholds: Sequence[float] = ()) -> list[list[float]]:
    """What refusing at each threshold does, as [threshold, precision, recall, answered]; see `Refusing`.

    Args:
        chances: the probability given to each question.
        answerable: whether the dispatches answer it; both kinds must be there.
        thresholds: beside the `STEPS` even ones.
    """
    asked = list(zip(chances, answerable, strict=True))
    yes, no = sum(answerable), len(answerable) - sum(answerable)
    found = []
    for threshold in sorted({*(step / STEPS for step in range(STEPS + 1)), *thresholds}):
        rightly = sum(chance < threshold and not good for chance, good in asked)
        wrongly = sum(chance < threshold and good for chance, good in asked)
        # Where nothing is refused, nothing is refused wrongly.
        precision = rightly / (rightly + wrongly) if rightly + wrongly else 1.0
        found.append([threshold, round(precision, 3), round(rightly / no, 3), round(1 - wrongly / yes, 3)])
    return found
