"""Which texts repeat each other: pick-ups of one story, word for word or nearly.

Two passages are alike where they share most of their word triples. MinHash finds the dispatches worth comparing
without comparing each with each: those that share one of the keys.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

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


def repeat(a: Triples, b: Triples) -> bool:
    """Whether passages with those triples are alike."""
    # Sets of too different a size cannot be, which is quicker to tell.
    shorter, longer = sorted((len(a), len(b)))
    return shorter >= SAME_PASSAGE * longer and jaccard(a, b) >= SAME_PASSAGE


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
