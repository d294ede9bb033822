"""What the questions of a language have in common, so that it can be taken off each: fitted by `eval/background.py`.

Some passages are near every question, whatever it asks (hubs). How near a passage is to a language's mean question
tells them, and less of that remains once a share of the mean is taken off the question.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FILE = "data/background.json"

SHARE = 0.4
"""How much of the mean is taken off. Between 0.3 and 0.6 the figures are flat."""


def without_background(question: npt.NDArray[np.float32], language: str, fingerprint: str) -> npt.NDArray[np.float32]:
    """A question's vector less its language's share of the mean question: no longer of unit length.

    Args:
        question: float32 (dim,), unit length.
        language: ISO 639-1; the mean over all languages counts for one that has none of its own.
        fingerprint: of the model that embedded the question. Nothing is taken off for one that was not fitted.
    """
    import numpy as np

    fitted = _fitted()
    if fitted["fingerprint"] != fingerprint:
        return question
    means = fitted["means"]
    mean = np.array(means.get(language) or means["all"], np.float32) / fitted["scale"]
    shifted: npt.NDArray[np.float32] = question - np.float32(SHARE) * mean
    return shifted


@cache
def _fitted() -> dict[str, Any]:
    fitted: dict[str, Any] = json.loads(files("dispatch_qa").joinpath(FILE).read_text(encoding="utf-8"))
    return fitted
