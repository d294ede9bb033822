"""Examples to batches of token ids: cropped, sorted by length, as many to a batch as fit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
    """Tensors of a batch; `span` is (batch, 2), -1 where the passage does not answer."""

    ids: Tensor
    kinds: Tensor
    mask: Tensor
    span: Tensor

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
            rows = [row for row in self._rows(examples[at : at + pool], rng) if row is not None]
            groups = list(_groups(sorted(rows, key=lambda row: row.length)))
            rng.shuffle(groups)
            yield from map(_batch, groups)

    def _rows(self, examples: Sequence[Example], rng: random.Random) -> Iterator[_Row | None]:
        examples = [_flash(example, rng) if rng.random() < FLASHES else example for example in examples]
        questions = self._tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
        passages = self._tokenizer.encode_batch([e.passage for e in examples], add_special_tokens=False)
        for example, asked, passage in zip(examples, questions, passages, strict=True):
            question, ids = asked.ids[:64], passage.ids
            held = None
            if example.start is not None and example.end is not None:
                inside = [
                    i for i, (a, b) in enumerate(passage.offsets) if a < example.end and b > example.start and b > a
                ]
                if not inside:
                    yield None
                    continue
                held = inside[0], inside[-1]
            # Most passages are as long as news paragraphs are.
            room = LONGEST - len(question) - 3
            room = min(room, rng.randint(60, 140)) if rng.random() < 0.6 else room
            at, end = _window(len(ids), held or _random_place(len(ids), rng), room, rng)
            span = (held[0] - at, min(held[1], end - 1) - at) if held and example.answers else (-1, -1)
            yield _Row(question, ids[at:end], span)


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


def _groups(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    group: list[_Row] = []
    for row in rows:  # shortest first, so that the newest is the longest
        if group and (len(group) == MOST or (len(group) + 1) * row.length > TOKENS):
            yield group
            group = []
        group.append(row)
    yield group


def _batch(rows: Sequence[_Row]) -> Batch:
    longest = max(row.length for row in rows)
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
    return Batch(ids, kinds, mask, span)
