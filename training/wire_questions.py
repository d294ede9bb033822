"""Questions as a wire is asked, in nine languages, by rules: who wrote and edited it, what nation, what office.

What nation or office a name has is found in the training passages ("le ministre français Aristide Briand"), and asked
in any language. Credit lines are made, of those names. The phrases are in `wire_questions.json`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from examples import Example
from near_misses import names_in

PHRASES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
LANGUAGES = tuple(PHRASES["reporter"])
KIND = "wire"
NAMED = 6  # different names about a credit line
_PART = r"[A-ZÀ-Þ][\w'’-]+"
_NOT_A_NAME = re.compile(r"(?i)\b(?:and|und|et|y|the|die|der|les?|la|el|los|war|empire|guerre|guerra|krieg)\b")


@dataclass(frozen=True, slots=True)
class Told:
    """What a passage tells of a name: its nation or office, from `start` to `end`."""

    kind: str
    name: str
    start: int
    end: int


def told(text: str, language: str) -> list[Told]:
    """The nations and offices that a passage tells of names, in English, French, Spanish or German."""
    found = []
    for kind, pattern in _patterns(language):
        for match in pattern.finditer(text):
            name = match["name"].removesuffix("'s").removesuffix("’s")
            if not _NOT_A_NAME.search(name) and text.count(name) == 1:
                found.append(Told(kind, name, *match.span("told")))
    return found


def asked(one: Told, text: str, others: Sequence[Told], rng: random.Random) -> Iterator[Example]:
    """What a passage tells, asked in some language; and asked of a name that it does not hold."""
    yield Example(_question(one.kind, rng, name=one.name), text, KIND, one.start, one.end)
    other = rng.choice(others)
    if rng.random() < 0.4 and other.name not in text:
        yield Example(_question(other.kind, rng, name=other.name), text, KIND)


def of_credit_line(
    names: Sequence[str], elsewhere: Sequence[str], rng: random.Random, said: Sequence[str] = ()
) -> Iterator[Example]:
    """A credit line, asked who wrote and edited it and what it does not tell; and a passage without one.

    Args:
        names: of people.
        elsewhere: passages without a credit line.
        said: questions which a name answers that is no credit line's: who spoke, who was appointed.
    """
    a, b, c, d, place, topic = rng.sample(names, NAMED)
    # What the question names does not tell: the passage that names it, too, has no author.
    other = rng.choice(elsewhere)
    topic = rng.choice(names_in(other) or [topic])
    lines = PHRASES["credits"][rng.choice(sorted(PHRASES["credits"]))]
    form = rng.choice(lines)
    line = form.format(a=a, b=b, c=c, d=d, place=place.split()[0])
    before = rng.choice(elsewhere)[-rng.randrange(40, 160) :] + " " if rng.random() < 0.2 else ""
    written, edited = line.index(a), line.index(b)
    edited_to = line.index(c) + len(c) if "{c}" in form else edited + len(b)
    for kind, start, end in (("reporter", written, written + len(a)), ("editor", edited, edited_to)):
        shift = len(before)
        yield Example(_question(kind, rng, topic=topic), before + line, KIND, start + shift, end + shift)
        if rng.random() < 0.5:
            yield Example(_question(kind, rng, topic=topic), other, KIND)
    if rng.random() < 0.5:
        yield Example(_question("nowhere", rng), before + line, KIND)
    if said:
        yield Example(rng.choice(said), before + line, KIND)


def _question(kind: str, rng: random.Random, **named: str) -> str:
    phrase: str = rng.choice(PHRASES[kind][rng.choice(LANGUAGES)])
    return phrase.format(**named)


@cache
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    if language not in PHRASES["titles"]:
        return ()
    people, titles = ("|".join(PHRASES[kind][language].split()) for kind in ("peoples", "titles"))
    name = rf"(?P<name>{_PART}(?: (?:(?:de|von|van|del) )?{_PART}){{1,2}})"
    word = r"[a-zß-ÿ-]+"
    nation = {
        "en": rf"\b(?P<told>{people}) (?:(?!and |of |in |for |to |or |by ){word} ){{1,3}}{name}",
        "fr": rf"\b{word} (?P<told>{people}) {name}",
        "es": rf"\b{word} (?P<told>{people}) {name}",
        "de": rf"\b(?P<told>(?:{people})(?:e|er|en|es)) [A-ZÄÖÜ]\w+ {name}",
    }[language]
    office = {
        "en": rf"\b(?P<told>(?:(?:[Pp]rime|[Vv]ice|[Ff]oreign|{people}) )?(?:{titles}|{titles.title()})) {name}",
        "fr": rf"\b(?P<told>(?:{titles})(?: (?:{people}))?(?: d(?:e la |e l'|u |es |e ){word})?"
        rf"(?: d[e'] ?{_PART})?),? {name}",
        "es": rf"\b(?P<told>(?:{titles})(?: de(?:l| la| los|) {word})?(?: (?:{people}))?(?: de {_PART})?),? {name}",
        "de": rf"\b(?P<told>{titles}) {name}",
    }[language]
    return ("nation", re.compile(nation)), ("post", re.compile(office))
