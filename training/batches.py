"""Examples to batches of token ids: cropped, sorted by length, as many to a batch as fit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from examples import Example
from near_misses import sentence_at
from torch import Tensor

LONGEST = 240  # tokens of a pair
TOKENS = 4096  # tokens of a batch, padding among them
MOST = 40  # examples of a batch
FLASHES = 0.25  # the share of the passages that are a sentence long


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of a batch; `span` is (batch, 2), -1 where the passage does not answer.

    `asked` numbers the questions: passages that are to be told from each other have the same.
    """

    ids: Tensor
    kinds: Tensor
    mask: Tensor
    span: Tensor
    asked: Tensor

    @property
    def here(self) -> Tensor:
        """1 where the passage answers."""
        return (self.span[:, 0] >= 0).float()


@dataclass(frozen=True, slots=True)
class _Row:
    question: list[int]
    passage: list[int]
    span: tuple[int, int]

    @property
    def length(self) -> int:
        return len(self.question) + len(self.passage) + 3


class Batcher:
    """Encodes examples with the tokenizer of the prepared model `folder`."""

    def __init__(self, folder: Path, seed: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._seed = seed

    def batches(self, examples: Sequence[Example], number: int) -> Iterator[Batch]:
        """The batches of epoch `number`."""
        rng = random.Random(f"batches/{self._seed}/{number}")
        pool = 2000  # sorted together: batches of like lengths, and still of every kind
        for at in range(0, len(examples), pool):
            units = [unit for unit in self._units(examples[at : at + pool], rng) if unit]
            groups = list(_groups(sorted(units, key=_longest)))
            rng.shuffle(groups)
            yield from map(_batch, groups)

    def _units(self, examples: Sequence[Example], rng: random.Random) -> Iterator[list[_Row]]:
        """For each example the rows that have to share a batch; none where its answer is no token."""
        units = []
        for example in examples:
            unit = [example, *(Example(example.question, one, "other") for one in example.others)]
            flash = rng.random() < FLASHES
            units.append([_flash(one, rng) for one in unit] if flash else unit)
        flat = [one for unit in units for one in unit]
        questions = self._tokenizer.encode_batch([one.question for one in flat], add_special_tokens=False)
        passages = self._tokenizer.encode_batch([one.passage for one in flat], add_special_tokens=False)
        encoded = zip(flat, questions, passages, strict=True)
        for unit in units:
            # Most passages are as long as news paragraphs are; those of a unit are cropped alike.
            room = rng.randint(60, 140) if rng.random() < 0.6 else LONGEST
            rows = [_row(*one, room, rng) for one in islice(encoded, len(unit))]
            yield [row for row in rows if row] if rows[0] else []


def _row(example: Example, asked: Any, passage: Any, room: int, rng: random.Random) -> _Row | None:
    """The example as tokens, at most `room` of the passage; `None` where its answer is no token."""
    question, ids = asked.ids[:64], passage.ids
    held = None
    if example.start is not None and example.end is not None:
        inside = [i for i, (a, b) in enumerate(passage.offsets) if a < example.end and b > example.start and b > a]
        if not inside:
            return None
        held = inside[0], inside[-1]
    room = min(LONGEST - len(question) - 3, room)
    at, end = _window(len(ids), held or _random_place(len(ids), rng), room, rng)
    span = (held[0] - at, min(held[1], end - 1) - at) if held and example.answers else (-1, -1)
    return _Row(question, ids[at:end], span)


def _flash(example: Example, rng: random.Random) -> Example:
    """The example with one sentence for a passage, as a wire's first line is: that of the answer, or any."""
    text = example.passage
    place = rng.randrange(max(1, len(text)))
    start, end = sentence_at(text, *((place, place) if example.start is None else (example.start, example.end or 0)))
    flash = replace(example, passage=text[start:end])
    return (
        flash if example.start is None else replace(flash, start=example.start - start, end=(example.end or 0) - start)
    )


def _random_place(length: int, rng: random.Random) -> tuple[int, int]:
    place = rng.randrange(max(1, length))
    return place, place


def _window(length: int, held: tuple[int, int], room: int, rng: random.Random) -> tuple[int, int]:
    """Where a window of `room` of the tokens begins and ends that holds those of `held`, as far as they fit."""
    start, end = held[0], min(held[1], held[0] + room - 1)
    at = rng.randint(max(0, end - room + 1), max(0, min(start, length - room)))
    return at, min(length, at + room)


def _longest(rows: Sequence[_Row]) -> int:
    return max(row.length for row in rows)


def _groups(units: Iterable[Sequence[_Row]]) -> Iterator[list[Sequence[_Row]]]:
    group: list[Sequence[_Row]] = []
    count = 0
    for unit in units:  # shortest first, so that the newest is the longest
        count += len(unit)
        if group and (count > MOST or count * _longest(unit) > TOKENS):
            yield group
            group, count = [], len(unit)
        group.append(unit)
    if group:
        yield group


def _batch(units: Sequence[Sequence[_Row]]) -> Batch:
    rows = [row for unit in units for row in unit]
    longest = _longest(rows)
    ids = torch.ones(len(rows), longest, dtype=torch.long)  # 1 is <pad>
    kinds, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    span = torch.full((len(rows), 2), -1)
    for place, row in enumerate(rows):
        before = len(row.question) + 2
        ids[place, : row.length] = torch.tensor([0, *row.question, 2, *row.passage, 2])
        kinds[place, before : row.length] = 1
        mask[place, : row.length] = 1
        if row.span[0] >= 0:
            span[place] = torch.tensor([before + row.span[0], before + row.span[1]])
    asked = torch.tensor([number for number, unit in enumerate(units) for _ in unit])
    return Batch(ids, kinds, mask, span, asked)
