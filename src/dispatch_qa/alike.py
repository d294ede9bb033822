"""Which texts repeat each other: pick-ups of one story, word for word or nearly.

Two passages are alike where they share most of their word triples. MinHash finds the dispatches worth comparing
without comparing each with each: those that share one of the keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAME_PASSAGE = 0.8
"""Passages that share this much of their words (Jaccard index of word triples) are told once."""

BANDS, ROWS = 16, 4
"""Dispatches share a key with probability 1 - (1 - s**ROWS)**BANDS, where s is what they share: .99 at s = .7."""

Triples = frozenset[tuple[str, ...]]


@lru_cache(256)
def triples(text: str) -> Triples:
    """The word triples of a text, or its only run of words where it has fewer; letter case does not count."""
    words = text.casefold().split()
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])


def repeats(text: str, others: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which of the `others` are alike with `text`, bool (others,)."""
    import numpy as np

    own = _hashed(text)
    theirs = [_hashed(other) for other in others]
    if not theirs:
        return np.zeros(0, np.bool_)
    lengths = np.array([len(hashes) for hashes in theirs])
    # One comparison for all: candidates are many, and each by itself is little.
    found = np.concatenate(theirs)
    same = own.take(np.searchsorted(own, found), mode="clip") == found
    shared = np.add.reduceat(same, np.cumsum(lengths) - lengths, dtype=np.int64)
    alike: npt.NDArray[np.bool_] = shared / (len(own) + lengths - shared) >= SAME_PASSAGE
    return alike


@lru_cache(4_096)
def _hashed(text: str) -> npt.NDArray[np.int64]:
    """The hashes of a text's word triples, sorted, for this process alone, int64: of a set of tuples a twentieth."""
    import numpy as np

    # Not by `np.unique`, which imports masked arrays.
    return np.sort(np.fromiter(set(map(hash, triples(text))), np.int64))


def jaccard(a: Triples, b: Triples) -> float:
    """What two sets share of what they have together, in [0, 1]."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def keys(text: str) -> list[int]:
    """The keys of a dispatch, signed 64-bit integers: one for each band of its MinHash signature."""
    from rensa import RMinHash

    sketch = RMinHash(num_perm=BANDS * ROWS, seed=1)
    sketch.update([" ".join(triple) for triple in triples(text)])
    signature = sketch.digest()
    found = []
    for band in range(BANDS):
        row = repr((band, signature[band * ROWS : (band + 1) * ROWS])).encode()
        found.append(int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "big", signed=True))
    return found
