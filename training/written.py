"""Dispatches written for the training, with questions: `written/*.txt`. All that they tell is invented.

The public sets ask about encyclopaedias, mostly in the passage's own language, and hardly ever for what is not there.
These are wire copy, asked in other languages, and nearly half of the questions are near misses: `written/README.md`.

`@` begins a dispatch in a language, a paragraph a line. `?` asks what paragraph 1 answers, in its very words; `!` asks
what no paragraph answers and paragraph 1 comes near.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from examples import Example, told_apart

# Of a person, as an answer: two or three capitalised words, in Latin or Cyrillic script.
_NAME = re.compile(r"[^\W\d_a-zа-яß-ÿ][\w'’-]+(?: [^\W\d_a-zа-яß-ÿ][\w'’-]+){1,2}")
FOLDER = Path(__file__).with_name("written")
ELSEWHERE, BESIDE = 0.1, 0.03  # each other paragraph is also asked a question that is answered, a near miss


@dataclass(frozen=True, slots=True)
class Put:
    """A question on a paragraph, counted from 0, and the words there that answer it; `None` where nothing does."""

    paragraph: int
    language: str
    text: str
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A dispatch with its questions; the stem of the file that it is from."""

    language: str
    file: str = ""
    paragraphs: list[str] = field(default_factory=list)
    questions: list[Put] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What tells it from others."""
        return self.paragraphs[0]

    def since(self, file: str) -> bool:
        """Whether it is of that file or of one that came after it; `aa` comes after `z`."""
        return (len(self.file), self.file) >= (len(file), file)


def read(folder: Path = FOLDER) -> list[Written]:
    """All dispatches of a folder, in order.

    Raises:
        ValueError: a line is not of the form above, or words do not stand where they are said to.
    """
    found: list[Written] = []
    for file in sorted(folder.glob("*.txt")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                _take(line.strip(), found, file.stem)
            except ValueError as error:
                raise ValueError(f"{file.name}, line {number}: {error}: {line}") from error
    return found


def _take(line: str, found: list[Written], file: str) -> None:
    """Add to the last dispatch what a line says, or begin another."""
    sign, _, rest = line.partition(" ")
    if sign == "@":
        found.append(Written(rest, file))
    elif sign in ("?", "!"):
        place, language, text = rest.split(" ", 2)
        text, _, words = text.partition(" => ")
        put = Put(int(place) - 1, language, text, words or None)
        if (sign == "?") is not bool(words):
            raise ValueError("words belong to ? and to nothing else")
        if not found or not 0 <= put.paragraph < len(found[-1].paragraphs):
            raise ValueError(f"there is no paragraph {place}")
        if words not in found[-1].paragraphs[put.paragraph]:
            raise ValueError(f"{words!r} does not stand in paragraph {place}")
        found[-1].questions.append(put)
    elif line:
        if not found:
            raise ValueError("a dispatch begins with @ and its language")
        if found[-1].questions:
            raise ValueError("a paragraph after questions")
        found[-1].paragraphs.append(line)


def examples(dispatches: Iterable[Written], rng: random.Random) -> Iterator[Example]:
    """Each question beside its paragraph, and many beside another one of the dispatch, which does not answer."""
    for one in dispatches:
        for put in one.questions:
            text = one.paragraphs[put.paragraph]
            others = [other for other in one.paragraphs if other != text and not _tells(other, put.words)]
            if not put.words:
                yield Example(put.text, text, "written near miss")
            else:
                start = text.index(put.words)
                apart = told_apart(others, rng)
                yield Example(put.text, text, "written", start, start + len(put.words), others=tuple(apart))
                others = [] if apart else others
            share = ELSEWHERE if put.words else BESIDE
            yield from (Example(put.text, other, "written elsewhere") for other in others if rng.random() < share)


def inner(dispatches: Iterable[Written]) -> tuple[list[str], list[str]]:
    """Paragraphs neither first nor last, where credit lines stand, and the questions that a name there answers."""
    copy, asked = [], []
    for one in dispatches:
        middle = range(1, len(one.paragraphs) - 1)
        copy += [one.paragraphs[place] for place in middle]
        asked += [put.text for put in one.questions if put.paragraph in middle and _NAME.fullmatch(put.words or "")]
    return copy, asked


def _tells(paragraph: str, words: str | None) -> bool:
    return words is not None and words.casefold() in paragraph.casefold()


def main() -> None:
    """Read all of them, and say how many there are."""
    dispatches = read()
    put = [put for one in dispatches for put in one.questions]
    print(f"{len(dispatches):,} dispatches: {_counted(one.language for one in dispatches)}")
    print(f"{len(put):,} questions: {_counted(one.language for one in put)}")
    print(f"{sum(one.words is None for one in put):,} of them are near misses")


def _counted(languages: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {language}" for language, count in Counter(languages).most_common())


if __name__ == "__main__":
    main()
