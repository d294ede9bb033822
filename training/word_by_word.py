"""Questions in languages that no set asks in, a word at a time: FreeDict's dictionaries, forms as they are written.

What comes of it is no sentence that anybody would write ("Które firma uczestniczyć"), but its words are of the language
and of the question. The reader learns from it that the words of those languages ask, too. The dictionaries are
packages of Debian: `PACKAGES`.
"""

from __future__ import annotations

import gzip
import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from translated import Question, Versions

DICTIONARIES = {
    "pl": ("fra-pol", "eng-pol"),
    "ru": ("fra-rus",),
    "ar": ("eng-ara",),
    "tr": ("eng-tur",),
    "cs": ("eng-ces",),
    "pt": ("eng-por",),
    "uk": ("fra-rus",),  # and on from Russian by `_ukrainian`
}
PACKAGES = "icu-devtools apertium-rus-ukr " + " ".join(
    sorted({f"dict-freedict-{name}" for names in DICTIONARIES.values() for name in names})
)
FOLDER = Path("/usr/share/dictd")
SOURCES = {"eng": "en", "fra": "fr"}
FUNCTION_WORDS = Path(__file__).with_name("function_words.tsv")
# What most of the languages above have no word for.
_UNSAID = {
    "en": "a an the do does did is are was were be been being has have had of",
    "fr": "le la les l un une des du de d est sont a ont était été être se t il elle ils elles",
}
UNSAID = {language: frozenset(words.split()) for language, words in _UNSAID.items()}
# Rules of ICU: Russian's reversed, for spellings that it does not expect; Arabic with long vowels, so that they stay.
_CYRILLIC = "::Lower; kh > kh; sh > sh; ch > ch; zh > zh; ck > k; c > k; h > kh; w > v; q > k; x > ks; j > zh; "
_CYRILLIC += "::Latin-Russian/BGN; ::Title;"
_ARABIC = "::Lower; ck > k; c > k; p > b; a > ā; [eiy] > ī; [ou] > ū; ::Latin-Arabic; ::[:Mn:] Remove;"
SCRIPTS = {"uk": _CYRILLIC, "ru": _CYRILLIC, "ar": _ARABIC}
RENDERED = 0.7  # of the questions, the share whose names are written in the script of the language
LEAST_KNOWN = 0.6  # of a question's words
MOST_SENSES = 3
COMMON = 80_000  # words of a language whose forms are used
_WORD = re.compile(r"(?:\w+['’](?=\w)(?!s\b))|\w+|['’]s\b|[^\w\s]+|\s+")
_ASIDE = re.compile(r"\([^)]*\)|<[^>]*>|\[[^]]*\]|/[^/]*/|~")
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

Dictionary = dict[str, list[str]]


def word_by_word(questions: Iterable[Question], known: Versions) -> Versions:
    """Each question in the languages of `DICTIONARIES`, as far as its words are known.

    Args:
        known: versions in other languages, from which to go on where the question's own has no dictionary.

    Raises:
        SystemExit: the dictionaries are not installed.
    """
    asked = [(query_id, {**known.get(query_id, {}), language: text}) for query_id, language, text in questions]
    found: Versions = defaultdict(dict)
    for target in DICTIONARIES:
        rng = random.Random(target)
        put = [(query_id, _put(texts, target, rng)) for query_id, texts in asked if target not in texts]
        names = sorted({part.text for _, parts in put for part in parts or () if part.is_name})
        rendered = dict(zip(names, _rendered(names, target), strict=True))
        for query_id, parts in put:
            if parts:
                script = rng.random() < RENDERED
                words = [rendered[part.text] if part.is_name and script else part.text for part in parts]
                text = " ".join("".join(words).split())
                found[query_id][target] = text[:1].upper() + text[1:]
    return found


class Part(NamedTuple):
    """A part of a question in the target's language; `known` is `None` for what stands between words."""

    text: str
    is_name: bool = False
    known: bool | None = None


def _put(texts: dict[str, str], target: str, rng: random.Random) -> list[Part] | None:
    """A question in the target's words; `None` where too few of them are known."""
    for name in DICTIONARIES[target]:
        source = SOURCES[name[:3]]
        if source not in texts:
            continue
        counted = re.search("(?i)how (many|much)", texts[source])
        unsaid = UNSAID[source] | ({"how"} if counted else set())
        parts = [
            _part(word, bool(at), name, target, rng)
            for at, word in enumerate(_WORD.findall(texts[source]))
            if word not in ("'s", "’s") and word.casefold().rstrip("'’") not in unsaid
        ]
        known = [part.known for part in parts if part.known is not None]
        if any(known) and sum(known) / len(known) >= LEAST_KNOWN:
            return parts
    return None


def _part(word: str, inside: bool, name: str, target: str, rng: random.Random) -> Part:
    """A word in the target's language by the dictionary of that name; `inside` tells that others stand before it."""
    if not word[0].isalpha():
        return Part("؟" if target == "ar" and word == "?" else word)
    source, words = SOURCES[name[:3]], _dictionary(name)
    low = word.casefold().rstrip("'’")
    if said := _function_words(source, target).get(low):
        return Part(rng.choice(said), known=True)
    senses = next((words[form] for form in (word, low, _base(low, source)) if form in words), [])
    senses = _ukrainian(tuple(senses)) if target == "uk" else senses
    if word[0].isupper() and inside and (not senses or rng.random() < 0.5):
        return Part(word, is_name=True)
    if senses:
        return Part(_form(rng.choice(senses), target, rng), known=True)
    return Part(word, known=False)


@cache
def _function_words(source: str, target: str) -> dict[str, list[str]]:
    """The words of a language that dictionaries are bad at: those that ask, those that relate."""
    languages, *rows = (line.split("\t") for line in FUNCTION_WORDS.read_text(encoding="utf-8").splitlines())
    own, other = languages.index(source), languages.index(target)
    return {
        word: ["" if put == "-" else put.replace("_", " ") for put in row[other].split()]
        for row in rows
        for word in row[own].split()
    }


@cache
def _dictionary(name: str) -> Dictionary:
    """What each headword of a dictionary of FreeDict can be: the first senses of an entry, of two words at most."""
    file = FOLDER / f"freedict-{name}.dict.dz"
    if not file.exists():
        raise SystemExit(f"Questions are put in other languages by dictionaries: apt-get install {PACKAGES}")
    data, words = gzip.decompress(file.read_bytes()), defaultdict[str, list[str]](list)
    for line in file.with_name(f"freedict-{name}.index").read_text(encoding="utf-8").splitlines():
        head, *place = line.split("\t")
        start, length = (_number(digits) for digits in place)
        entry = data[start : start + length].decode("utf-8").splitlines()
        senses = [sense for line in entry[1:2] for sense in _senses(line)]
        if head and " " not in head and not head.startswith("00"):
            words[head] += [sense for sense in senses if sense not in words[head]]
    return {head: senses[:MOST_SENSES] for head, senses in words.items() if senses}


def _senses(line: str) -> Iterator[str]:
    line = _ASIDE.sub(" ", re.sub(r"^\s*\d+\.", "", line))
    for sense in re.split(r"[,;|،-]", line):
        words = "".join(char for char in sense if char != "\u0301").split()
        if 0 < len(words) <= 2 and all(word.isalpha() for word in words):
            yield " ".join(words)


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + _DIGITS.index(digit)
    return value


def _form(sense: str, language: str, rng: random.Random) -> str:
    """The sense with its last word in any form of it that is common."""
    *before, last = sense.split()
    return " ".join([*before, rng.choice(_forms(language).get(last, [last]))])


def _base(word: str, language: str) -> str:
    """The form of a word under which dictionaries have it."""
    import simplemma

    return str(simplemma.lemmatize(word, lang=language))


@cache
def _forms(language: str) -> dict[str, list[str]]:
    """The common forms of each base form."""
    import wordfreq

    forms = defaultdict[str, list[str]](list)
    for word in wordfreq.top_n_list(language, COMMON) if language != "ar" else ():
        forms[_base(word, language)].append(word)
    return forms


@cache
def _ukrainian(senses: tuple[str, ...]) -> list[str]:
    return [_of_russian()[sense] for sense in senses if sense in _of_russian()]


@cache
def _of_russian() -> dict[str, str]:
    """Ukrainian for the Russian words of the dictionaries, base form for base form."""
    words = sorted({sense for senses in _dictionary("fra-rus").values() for sense in senses if " " not in sense})
    tables = "/usr/share/apertium/apertium-rus-ukr/rus-ukr."
    read = _piped(["lt-proc", "-w", tables + "automorf.bin"], words)
    # The tagger stops at many words; the first reading is the likeliest.
    readings = ["^" + line.strip("^$").split("/")[1] + "$" if "/" in line else "" for line in read]
    put = _piped(["lt-proc", "-b", tables + "autobil.bin"], readings)
    found = {}
    for word, line in zip(words, put, strict=True):
        if match := re.search(r"/(\w+)<", line):
            found[word] = match[1]
    return found


def _rendered(names: Sequence[str], language: str) -> list[str]:
    return _piped(["uconv", "-x", SCRIPTS[language]], names) if language in SCRIPTS else list(names)


def _piped(command: list[str], lines: Sequence[str]) -> list[str]:
    """What a command makes of each line."""
    sent = "\n".join(lines) + "\n"
    env = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, input=sent, capture_output=True, text=True, encoding="utf-8", env=env, check=True)
    got = done.stdout.split("\n")[: len(lines)]
    if len(got) != len(lines):
        raise ValueError(f"{command[0]}: {len(lines)} lines in, {len(got)} out")
    return got
