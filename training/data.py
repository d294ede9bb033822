"""Questions, passages and their parts, from a folder of sets in BEIR layout; examples for the reader from them.

A passage is held out, never a question: all of a paragraph's questions, in every language, and the same paragraph
in another language or another set fall into one part.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import wire_questions
import written
from examples import Example, told_apart
from near_misses import moved, names_in, near_miss, without_answer
from opus import WAYS, Counterpart, Gold
from translated import Versions

SETS = ("piaf-fr", "xquad-r", "squad2-en", "squad2-es", "afriqa-en")
OWN = "asked"  # the set of the questions written for the training on passages of these
TEST, TUNE = 0.18, 0.10  # shares of the paragraphs; the rest trains
WRITTEN = {"test": 0.08, "tune": 0.06}  # of the dispatches written for the training

CREDITS = 1500  # credit lines an epoch
NO_NAMES = ("de", "zh")  # where a capital letter does not tell a name
TRANSLATED = 0.5  # of the questions that have other versions, the share that is put in one of them
FLUENT = 2  # times as often as another version, one in a language that OPUS-MT knows
VERSIONS = 4  # of a paragraph's languages, those in which its questions are asked an epoch
OWN_VERSIONS = 2  # the same, of a question written for the training
REMOVED = 0.15  # of these, the share that is also asked of their passage without the sentence that answers

# An unanswerable question must not be told by its language: these have no answerable ones to train on.
OFF_LANGUAGES = ("fr", "ru", "en", "es", "de", "zh")


@dataclass(frozen=True, slots=True)
class Text:
    """A passage of a set, and the part in which it and its translations are."""

    passage_id: str
    text: str
    language: str
    part: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answers by passage, as (start, text); `beside` is what an unanswerable one is about."""

    query_id: str
    text: str
    language: str
    dataset: str
    golds: dict[str, list[tuple[int, str]]]
    beside: str | None = None


@dataclass(slots=True)
class Pool:
    """All sets together."""

    passages: dict[str, Text] = field(default_factory=dict)
    questions: list[Asked] = field(default_factory=list)
    off: list[Asked] = field(default_factory=list)
    dispatches: list[written.Written] = field(default_factory=list)
    """Those written for the training."""
    counterparts: dict[str, str] = field(default_factory=dict)
    """Of a passage, by its id: that of its counterpart in another language."""

    def part(self, asked: Asked) -> str:
        """The part in which a question is: that of its passages, or, off-corpus, of its own id."""
        about = [*asked.golds, *([asked.beside] if asked.beside else [])]
        return self.passages[about[0]].part if about else part_of(asked.query_id, test=0.25, tune=0.25)

    def of_part(self, part: str) -> list[Asked]:
        """The questions of a part, in order."""
        return [asked for asked in self.questions if self.part(asked) == part]

    def off_of(self, part: str) -> list[Asked]:
        """The questions of a part about other things, in the languages of `OFF_LANGUAGES`."""
        return [asked for asked in self.off if asked.language in OFF_LANGUAGES and self.part(asked) == part]

    def written_of(self, part: str) -> list[written.Written]:
        """The dispatches of a part that were written for the training."""
        return [one for one in self.dispatches if part_of(one.key, **WRITTEN) == part]

    def asked_of(self, part: str) -> dict[str, set[Gold]]:
        """The passages that questions of a part are about, with all their answers."""
        golds: dict[str, set[Gold]] = defaultdict(set)
        for asked in self.of_part(part):
            for passage_id in [*asked.golds, *([asked.beside] if asked.beside else [])]:
                golds[passage_id].update(asked.golds.get(passage_id, ()))
        return golds

    def wrong_for(self, asked: Asked, passage_ids: Iterable[str]) -> list[str]:
        """Those of the passages that do not answer the question: neither its own nor with an answer's words in them."""
        answers = {gold[1].casefold() for golds in asked.golds.values() for gold in golds}
        return [
            passage_id
            for passage_id in passage_ids
            if passage_id not in asked.golds
            and not any(answer in self.passages[passage_id].text.casefold() for answer in answers)
        ]

    def add(self, found: Mapping[str, Counterpart]) -> None:
        """Counterparts of passages, by their ids: what has its answer there is asked of them, too."""
        for passage_id, one in found.items():
            key = self.counterparts[passage_id] = f"{passage_id}.{one.language}*"
            self.passages[key] = Text(key, one.text, one.language, self.passages[passage_id].part)
        for asked in self.questions:
            for passage_id, golds in list(asked.golds.items()):
                if passage_id in found:
                    placed = [found[passage_id].place_of(gold) for gold in golds]
                    if there := [gold for gold in placed if gold]:
                        asked.golds[self.counterparts[passage_id]] = there


def part_of(key: str, test: float = TEST, tune: float = TUNE) -> str:
    """The part of a paragraph: test, tune or train, decided by the key alone."""
    share = int.from_bytes(hashlib.sha256(f"reader/{key}".encode()).digest()[:8], "big") / 2**64
    return "test" if share < test else "tune" if share < test + tune else "train"


def load(folder: Path, dispatches: Iterable[written.Written] = ()) -> Pool:
    """All sets of a data folder, and dispatches written for the training beside them."""
    pool = Pool(dispatches=list(dispatches))
    for name in SETS:
        corpus = _lines(folder / name / "corpus.jsonl")
        texts = {row["_id"]: row["text"] for row in corpus}
        for row in corpus:
            # The same paragraph has the same beginning in every set, and one English version in the translated one.
            original = texts.get(row["_id"].rpartition(".")[0] + ".en", row["text"])
            key = "".join(char for char in original.casefold() if char.isalnum())[:100]
            pool.passages[row["_id"]] = Text(row["_id"], row["text"], row["metadata"]["language"], part_of(key))
    golds: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    rows = {name: _lines(folder / name / "queries.jsonl") for name in SETS}
    base = {row["_id"]: row["metadata"].get("base", row["_id"]) for name in SETS for row in rows[name]}
    for name in SETS:
        for answer in _lines(folder / name / "answers.jsonl"):
            gold = (answer["start"], answer["text"])
            known = golds[base[answer["query_id"]]][answer["corpus_id"]]
            passage = pool.passages[answer["corpus_id"]].text
            if gold not in known and passage.startswith(gold[1], gold[0]):
                known.append(gold)
    for name in SETS:
        for row in rows[name]:
            told = row["metadata"]
            beside = None if told["answerable"] else told["beside"]
            found = dict(golds[base[row["_id"]]]) if told["answerable"] else {}
            if found or beside:
                pool.questions.append(Asked(row["_id"], row["text"], told["language"], name, found, beside))
    pool.off = [
        Asked(row["_id"], row["text"], row["metadata"]["language"], "offcorpus", {})
        for row in _lines(folder / "offcorpus" / "queries.jsonl")
    ]
    return pool


class Mix:
    """What one epoch is made of; every epoch draws anew, by seed and number alone.

    Args:
        nearest: for a question's id, the train passages that retrieval ranks high and that do not answer it.
        versions: train questions in other languages.
        wire: the share of the questions as a wire is asked that an epoch has.
        others: that of all others of the sets.
        own: that of the examples from the texts written for the training.
        questions: that of the questions of the set `OWN`.
        new: the file of these texts from which on they are taken whole; "" for none.
    """

    def __init__(
        self,
        pool: Pool,
        nearest: dict[str, list[str]],
        versions: Versions,
        seed: int,
        wire: float = 1.0,
        others: float = 1.0,
        own: float = 1.0,
        questions: float = 1.0,
        new: str = "",
    ) -> None:
        self._pool, self._nearest, self._versions, self._seed = pool, nearest, versions, seed
        self._shares = wire, others, own, questions
        self._train: list[Asked] = []
        self._own: list[Asked] = []
        for asked in pool.of_part("train"):
            (self._own if asked.dataset == OWN else self._train).append(asked)
        self._asked_in: dict[str, list[Asked]] = defaultdict(list)
        self._texts = [text for text in pool.passages.values() if text.part == "train"]
        self._names: dict[str, list[str]] = defaultdict(list)
        for asked in self._train:
            self._asked_in[asked.language].append(asked)
            for language, text in {asked.language: asked.text, **versions.get(asked.query_id, {})}.items():
                self._names[language] += names_in(text)
        self._told = [(one, text.text) for text in self._texts for one in wire_questions.told(text.text, text.language)]
        self._people = sorted({one.name for one, _ in self._told})
        self._off = pool.off_of("train")
        texts = pool.written_of("train")
        self._inner = written.inner(texts)
        self._old: list[written.Written] = []
        self._new: list[written.Written] = []
        for one in texts:
            (self._new if new and one.since(new) else self._old).append(one)

    def epoch(self, number: int) -> list[Example]:
        """The examples of an epoch, shuffled."""
        rng = random.Random(f"{self._seed}/{number}")
        examples = [example for asked in self._train for example in self._of(self._put(asked, rng), rng)]
        for asked in (self._put(asked, rng) for asked in self._off):
            examples.append(Example(asked.text, self._wrong(asked, rng), "off corpus"))
            if rng.random() < 0.3:
                examples.append(Example(asked.text, rng.choice(self._texts).text, "off corpus"))
        own, new = list(written.examples(self._old, rng)), written.examples(self._new, rng)
        asked_for = [example for asked in self._own for example in self._of_own(asked, rng)]
        parts = zip((list(self._wire(rng)), examples, own, asked_for), self._shares, strict=True)
        examples = [one for some, share in parts for one in rng.sample(some, round(share * len(some)))] + list(new)
        rng.shuffle(examples)
        return examples

    def _wire(self, rng: random.Random) -> Iterator[Example]:
        copy, said = self._inner
        encyclopaedias, others = [text.text for text in self._texts], [one for one, _ in self._told]
        for one, text in self._told * 3:
            yield from wire_questions.asked(one, text, others, rng)
        for _ in range(CREDITS if len(self._people) >= wire_questions.NAMED else 0):
            # As often wire copy, in which people speak, too: none of them wrote it.
            elsewhere = copy if copy and rng.random() < 0.5 else encyclopaedias
            yield from wire_questions.of_credit_line(self._people, elsewhere, rng, said)

    def _put(self, asked: Asked, rng: random.Random) -> Asked:
        """The question as it stands, or in another language."""
        versions = self._versions.get(asked.query_id)
        if not versions or rng.random() > TRANSLATED:
            return asked
        fluent = WAYS if self._pool.counterparts else {}
        language = rng.choice([one for one in sorted(versions) for _ in range(FLUENT if one in fluent else 1)])
        return replace(asked, text=versions[language], language=language)

    def _moved(self, passage: Text, rng: random.Random) -> str | None:
        """A question about something else, asked of what the passage names."""
        if passage.language in NO_NAMES or not self._asked_in[passage.language]:
            return None
        other = rng.choice(self._asked_in[passage.language])
        return moved(other.text, self._put(other, rng).text, passage.text, rng)

    def _of(self, asked: Asked, rng: random.Random) -> Iterator[Example]:
        if asked.dataset == "afriqa-en" and rng.random() > (0.8 if asked.language == "en" else 0.15):
            return
        if asked.beside:
            yield Example(asked.text, self._text(asked.beside, rng), "beside")
            return
        for passage_id in rng.sample(sorted(asked.golds), min(VERSIONS, len(asked.golds))):
            text = self._pool.passages[passage_id].text
            # The longest of several right answers: a number with its unit.
            start, answer = max(asked.golds[passage_id], key=lambda gold: len(gold[1]))
            yield Example(asked.text, text, "answer", start, start + len(answer), others=self._apart(asked, rng))
            names = self._names[asked.language]
            if rng.random() < 0.4 and (swapped := near_miss(asked.text, asked.language, text, names, rng)):
                yield Example(swapped, text, "near miss", start, start + len(answer), answers=False)
            if rng.random() < 0.3 and (elsewhere := self._moved(self._pool.passages[passage_id], rng)):
                yield Example(elsewhere, text, "moved")
            if rng.random() < 0.4 and (rest := without_answer(text, start, start + len(answer))):
                yield Example(asked.text, rest, "sentence removed")
        if rng.random() < 0.6 and self._nearest.get(asked.query_id):
            yield Example(asked.text, self._wrong(asked, rng), "retrieved")

    def _of_own(self, asked: Asked, rng: random.Random) -> Iterator[Example]:
        """Of a question written for the training, whose near misses are written, too."""
        if asked.beside:
            yield Example(asked.text, self._text(asked.beside, rng), "asked near miss")
        for passage_id in rng.sample(sorted(asked.golds), min(OWN_VERSIONS, len(asked.golds))):
            text = self._pool.passages[passage_id].text
            ((start, answer),) = asked.golds[passage_id]
            yield Example(asked.text, text, "asked", start, start + len(answer), others=self._apart(asked, rng))
            if rng.random() < REMOVED and (rest := without_answer(text, start, start + len(answer))):
                yield Example(asked.text, rest, "sentence removed")

    def _apart(self, asked: Asked, rng: random.Random) -> tuple[str, ...]:
        return tuple(self._text(one, rng) for one in told_apart(self._nearest.get(asked.query_id, []), rng))

    def _wrong(self, asked: Asked, rng: random.Random) -> str:
        return self._text(rng.choice(self._nearest[asked.query_id]), rng)

    def _text(self, passage_id: str, rng: random.Random) -> str:
        """The passage's text, or that of its counterpart."""
        counterpart = self._pool.counterparts.get(passage_id)
        return self._pool.passages[rng.choice([passage_id, counterpart]) if counterpart else passage_id].text


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
