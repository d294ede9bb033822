"""Words in common: the terms of a text, and how much of a question's weight a text holds.

No stemmer and no list of languages: the first letters of a word stand for its forms.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

TERMS = 1
"""Raise when a text would give other terms: a store is told by it from one that was made with others."""

PREFIX = 6
"""Letters of a word that make a term. Six found more than four, five, seven, whole words or the model's subwords."""

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"([^"]+)"')
# Scripts that write no spaces: Han, kana, hangul and Thai, whose terms are pairs of neighbours.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class _Marks(dict[int, int | None]):
    """What NFKD parts from its letter, to be dropped; looked up as met: all of Unicode would take 6 ms a start."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_MARKS = _Marks()


def terms(text: str) -> list[str]:
    """The terms of `text`, in order: lower case, without diacritics, words cut to `PREFIX` letters, numbers whole."""
    plain = unicodedata.normalize("NFKD", text.lower()).translate(_MARKS)
    words = _WORD.findall(plain)
    if not _UNSPACED.search(plain):
        return [word if word.isdigit() else word[:PREFIX] for word in words]
    found: list[str] = []
    for word in words:
        if _UNSPACED.search(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            found.append(word if word.isdigit() else word[:PREFIX])
    return found


def phrases(question: str) -> list[str]:
    """What stands in straight double quotes: asked for literally. Other quotes are the language's own, around names."""
    return [phrase for quoted in _QUOTED.findall(question) if (phrase := " ".join(quoted.split())) and terms(phrase)]


def holds(text: str, wanted: Iterable[str]) -> bool:
    """Whether every phrase stands in `text` as whole words, whatever the letter case and the white space."""
    plain = " ".join(text.casefold().split())
    return all(re.search(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", plain) for phrase in wanted)


def weights(frequency: Mapping[str, int], passages: int) -> dict[str, float]:
    """The weight of each term, positive: its inverse document frequency as BM25 has it (Robertson and Zaragoza, 2009).

    Args:
        frequency: in how many passages a term stands; one that stands in none weighs most.
        passages: how many there are.
    """
    return {term: math.log(1 + (passages - n + 0.5) / (n + 0.5)) for term, n in frequency.items()}


@lru_cache(maxsize=8_192)
def _held(text: str) -> frozenset[str]:
    """The terms of a passage, kept: in a running process the same passages are candidates again and again."""
    return frozenset(terms(text))


def covered(text: str, weight: Mapping[str, float]) -> float:
    """The share, in [0, 1], of the question's weight whose terms `text` holds, however often and wherever."""
    held = _held(text)
    # In the weights' own order: sums of floats depend on theirs, and a set's changes from run to run.
    return sum([value for term, value in weight.items() if term in held]) / sum(weight.values()) if weight else 0.0
