"""Nations and continents that a text names, in any case or gender, by how their names begin in its language."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

FILE = "data/nations.json"
"""A JSON object, written by `eval/nations.py`.

`languages` holds for each language what a nation is called: its code → how its names begin, with | between; a name of
two words has a space. `short`: a word of capitals in any language → code. `within`: a nation → its continent. Codes are
ISO 3166's of nations and UN M49's of continents; nobody's is "".
"""

Codes = frozenset[str]
_Value = TypeVar("_Value")

_CHINESE = r"[\u3400-\u9fff]"
_WORD = re.compile(rf"{_CHINESE}+|(?:(?!{_CHINESE})[^\W_])+")
# Arabic "and", "by", "as", "to" and the article, written as one with the word.
_JOINED = re.compile(r"^(?:[وف]?(?:[بك]?ال|لل)|و)(?=\w{3})")
_LAST = "aeiouyаеиіоуюяыэєьاةيىه"
_LONGEST = 8  # characters of a Chinese name


def lacks_a_nation(question: str, asked_in: str, text: str, told_in: str) -> bool:
    """Whether the question names a nation or a continent that the text does not: a nation names its continent too.

    Args:
        asked_in: the question's language, as ISO 639-1 has it.
        told_in: the text's. Where the names of either language are not known, nothing is missed.
    """
    asked = list(named(question, asked_in))
    if not asked or told_in not in _table()["languages"]:
        return False
    told = {code for codes in named(text, told_in) for code in codes}
    within = _table()["within"]
    told |= {within[code] for code in told if code in within}
    return not all(codes & told for codes in asked)


def named(text: str, language: str) -> Iterator[Codes]:
    """The codes of each word, or two, that may name a nation; none in a language whose names are not known."""
    following: Mapping[str, Codes] = {}
    for match in _WORD.finditer(text) if language in _table()["languages"] else ():
        alone, pairs = _of_word(match[0], language)
        yield from alone
        if following and (codes := _found(plain(match[0]), following)):
            yield codes
        following = pairs


@lru_cache(16_384)
def _of_word(word: str, language: str) -> tuple[tuple[Codes, ...], Mapping[str, Codes]]:
    """What a word may name by itself, and with which words after it what else."""
    short: Mapping[str, str] = _table()["short"]
    begins, pairs = _names(language)
    bare = plain(word)
    found = _in_chinese(bare, begins) if re.match(_CHINESE, bare) else [_found(bare, begins)]
    if word in short:
        found.append(frozenset([short[word]]))
    return tuple(codes for codes in found if codes), _found(bare, pairs) or {}


def plain(word: str) -> str:
    """The word without case and marks, an Arabic one without its article."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return _JOINED.sub("", "".join(char for char in decomposed if not unicodedata.combining(char)))


def beginning(name: str, kept: int) -> str:
    """How a plain name begins in all its cases: without its last vowels, as long as `kept` letters stay."""
    while len(name) > kept and name[-1] in _LAST:
        name = name[:-1]
    return name


def _found(word: str, among: Mapping[str, _Value]) -> _Value | None:
    """What the longest beginning of a word gives: at most five letters more, and no more than it has itself."""
    for length in range(len(word), max(len(word) - 6, (len(word) - 1) // 2), -1):
        if (value := among.get(word[:length])) is not None:
            return value
    return None


def _in_chinese(run: str, among: Mapping[str, Codes]) -> list[Codes | None]:
    """What the names in a run of characters give, the longest first; none begins inside another."""
    found, at = [], 0
    while at < len(run):
        lengths = range(min(_LONGEST, len(run) - at), 1, -1)
        length = next((length for length in lengths if run[at : at + length] in among), 0)
        found.append(among.get(run[at : at + length]))
        at += length or 1
    return found


@lru_cache
def _names(language: str) -> tuple[Mapping[str, Codes], Mapping[str, Mapping[str, Codes]]]:
    """How a word begins → codes; how the first of two words begins → how the second does → codes."""
    begins: dict[str, Codes] = {}
    pairs: dict[str, dict[str, Codes]] = {}
    for code, several in _table()["languages"].get(language, {}).items():
        for name in several.split("|"):
            first, _, second = name.partition(" ")
            among, key = (pairs.setdefault(first, {}), second) if second else (begins, first)
            among[key] = among.get(key, frozenset()) | ({code} if code else set())
    return begins, pairs


@lru_cache(1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files("dispatch_qa").joinpath(FILE).read_text(encoding="utf-8"))
    return table
