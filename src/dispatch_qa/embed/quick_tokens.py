"""The tokens of a question without loading the tokenizer.

The tokenizers library builds a trie of 250,000 pieces before the first token: half a second and 250 MB of every cold
question. The same pieces, sorted and mapped from a file, give the same ids at once for texts of plain characters; any
other text is left to the library. `tests/test_quick_tokens.py` compares the two.
"""

from __future__ import annotations

import base64
import math
import mmap
import struct
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

SPECIAL = (0, 2)  # <s> … </s>
UNKNOWN = 3
MARK = "▁"


def token_tables(tokenizer: dict[str, Any]) -> bytes:
    """Charsmap, and the pieces sorted by their bytes: offsets, ids, scores, text."""
    charsmap = base64.b64decode(tokenizer["normalizer"]["normalizers"][0]["precompiled_charsmap"])
    pieces = sorted(
        (piece.encode(), number, score) for number, (piece, score) in enumerate(tokenizer["model"]["vocab"])
    )
    parts = [
        charsmap,
        np.cumsum([0, *(len(piece) for piece, _, _ in pieces)]).astype("<u4").tobytes(),
        np.array([number for _, number, _ in pieces], "<u4").tobytes(),
        np.array([score for _, _, score in pieces], "<f8").tobytes(),
        b"".join(piece for piece, _, _ in pieces),
    ]
    header = struct.pack("<Q5Q", len(pieces), *(len(part) for part in parts))
    return header + b"".join(part + bytes(-len(part) % 8) for part in parts)


# Letters and signs that form a grapheme cluster with a neighbour though their category does not say so.
JOINERS = frozenset("<\x7f\u0e33\u0eb3\u06dd\u070f\u08e2\u0d4e\uff9e\uff9f")
JOINING = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF))


class QuickTokens:
    """The ids that tokenizers gives, for texts of plain characters, from memory-mapped tables.

    Plain: no control characters, no combining marks and nothing else that joins its neighbour (the library
    normalises grapheme clusters as one), no "<" (special tokens). About 3 ms a question, and nothing to load.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._count, *sizes = struct.unpack_from("<Q5Q", data)
        parts, at = [], 48
        for size in sizes:
            parts.append(data[at : at + size])
            at += size + -size % 8
        charsmap, offsets, numbers, scores, self._text = parts
        (trie,) = struct.unpack_from("<I", charsmap)
        self._trie, self._replacements = charsmap[4 : 4 + trie].cast("I"), charsmap[4 + trie :]
        self._offsets, self._numbers, self._scores = offsets.cast("I"), numbers.cast("I"), scores.cast("d")
        self._unknown = float(np.frombuffer(scores, "<f8").min()) - 10

    def ids(self, text: str) -> list[int] | None:
        """The ids with <s> and </s>, or None for a text that is not plain."""
        pieces = self.pieces(text)
        return None if pieces is None else [SPECIAL[0], *(number for number, _, _ in pieces), SPECIAL[1]]

    def pieces(self, text: str) -> list[tuple[int, int, int]] | None:
        """(id, start, end) of every piece, in characters of `text`, or None for a text that is not plain."""
        if not all(map(_is_plain, text)):
            return None
        # The normalised text, and where in `text` each of its letters comes from.
        letters: list[str] = []
        places: list[int] = []
        for place, character in enumerate(text):
            for letter in self._normal(character):
                if not letter == " " == (letters[-1] if letters else ""):
                    letters.append(letter)
                    places.append(place)
        if not letters:
            return []
        marked = "".join(letters).replace(" ", MARK)
        if not marked.startswith(MARK):
            marked, places = MARK + marked, [places[0], *places]
        found = []
        at = 0
        for word in marked.split(MARK)[1:]:
            encoded = (MARK + word).encode()
            start = 0
            for number, end in self._best(encoded):
                first, last = at + _letters(encoded[:start]), at + _letters(encoded[:end]) - 1
                found.append((number, places[first], places[last] + 1))
                start = end
            at += 1 + len(word)
        return found

    def _normal(self, character: str) -> str:
        """The charsmap's replacement of the shortest known prefix (a Darts double array), or the character."""
        node = self._trie[0]
        at = _child(node)
        for byte in character.encode():
            at ^= byte
            node = self._trie[at]
            if node & 0x800000FF != byte:
                break
            at ^= _child(node)
            if node >> 8 & 1:
                start = end = self._trie[at] & 0x7FFFFFFF
                while self._replacements[end]:
                    end += 1
                return bytes(self._replacements[start:end]).decode()
        return character

    def _best(self, word: bytes) -> list[tuple[int, int]]:
        """(id, end) of the most probable pieces of a word (Viterbi); neighbouring unknown characters become one."""
        best = [(0.0, 0, 0), *[(-math.inf, 0, 0)] * len(word)]
        start = 0
        while start < len(word):
            reached, _, _ = best[start]
            step = 1 + sum(word[start] >= lead for lead in (0xC0, 0xE0, 0xF0))
            found = [(start + step, self._unknown, UNKNOWN)]
            for end, score, number in self._pieces(word, start):
                found = [(end, score, number)] if end == start + step else [*found, (end, score, number)]
            for end, score, number in found:
                if reached + score > best[end][0]:
                    best[end] = (reached + score, start, number)
            start += step
        pieces: list[tuple[int, int]] = []
        end = len(word)
        while end:
            _, start, number = best[end]
            if not number == UNKNOWN == (pieces[-1][0] if pieces else 0):
                pieces.append((number, end))
            end = start
        return pieces[::-1]

    def _pieces(self, word: bytes, start: int) -> Iterable[tuple[int, float, int]]:
        """(end, score, id) of every piece that the word has at `start`, the shortest first."""
        low, high = 0, self._count
        for end in range(start, len(word)):
            low = self._bisect(word[end], end - start, low, high)
            high = self._bisect(word[end] + 1, end - start, low, high)
            if low == high:
                return
            if self._offsets[low + 1] - self._offsets[low] == end + 1 - start:
                yield end + 1, self._scores[low], self._numbers[low]

    def _bisect(self, byte: int, depth: int, low: int, high: int) -> int:
        """The first of the rows low to high, alike before `depth`, whose byte there is at least `byte`."""
        while low < high:
            middle = (low + high) // 2
            at = self._offsets[middle] + depth
            if at < self._offsets[middle + 1] and self._text[at] >= byte:
                high = middle
            else:
                low = middle + 1
        return low


def _letters(encoded: bytes) -> int:
    return len(encoded.decode())


def _child(node: int) -> int:
    return node >> 10 << ((node & 0x200) >> 6)


def _is_plain(character: str) -> bool:
    code = ord(character)
    joins = character in JOINERS or any(first <= code <= last for first, last in JOINING)
    return not joins and unicodedata.category(character)[0] in "LNPSZ"
