"""Recall of an encoder by plain cosine of question and passage, on piaf-fr and xquad-r, and what it loses."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Vectors = tuple[Floats, Floats]  # of passages and of questions
Scores = npt.NDArray[np.float64]  # (questions, 2), in points: reciprocal rank, and whether the right passage is first

LANGUAGES = ("en", "de", "es", "ru", "zh")
SHOWN_PAIRS = ("de-en", "zh-en", "ru-es", "es-zh")
FRENCH = "piaf-fr"
CROSS = "xquad-r all pairs"  # of all twenty pairs of languages: what a pair of 645 questions cannot tell, this can
MEAN_OF = (FRENCH, CROSS)
READ = 500  # tokens that fit beside the prompt; 17 passages of xquad-r are longer and are cut for all variants alike
SAME = 0.99999  # least cosine from which two variants rank alike


@dataclass(frozen=True, slots=True)
class Task:
    """The ids of questions, of the passages to choose from, and of the right passage of each question."""

    questions: list[str]
    passages: list[str]
    right: list[str]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All that a variant embeds, by id, and its tasks; a figure is the mean of its tasks, question by question."""

    passages: dict[str, str] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, list[Task]] = field(default_factory=dict)


def load_corpus(data: Path, queries: int, passages: int | None, tokenizer: Tokenizer) -> Corpus:
    """Both sets; the questions of xquad-r in each language are asked of the passages in each other one.

    Args:
        queries: at most so many in a task.
        passages: so many in a task, by default all.
    """
    corpus = Corpus()

    def texts(file: Path) -> dict[str, str]:
        rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        return {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows}

    def tasks(folder: Path, endings: Iterable[tuple[str, str]]) -> Iterator[Task]:
        """A task for each two endings of ids, of questions and of passages."""
        told, asked = texts(folder / "corpus.jsonl"), texts(folder / "queries.jsonl")
        with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
            judged = [(row["query-id"], row["corpus-id"]) for row in csv.DictReader(file, delimiter="\t")]
        for question_end, passage_end in endings:
            offered = sorted(key for key in told if key.endswith(passage_end))[:passages]
            known = set(offered)
            right = {
                question: passage
                for question, passage in judged
                if question.endswith(question_end) and passage in known
            }
            # Sorted, the questions of all languages are in one order; evenly spread, few cover all passages.
            keys = spread(sorted(right), queries)
            new = [key for key in offered if key not in corpus.passages]
            corpus.passages.update((key, cut(told[key], READ, tokenizer)) for key in new)
            corpus.questions.update((key, asked[key]) for key in keys)
            yield Task(keys, offered, [right[key] for key in keys])

    corpus.tasks[FRENCH] = [*tasks(data / "piaf-fr", [("", "")])]
    pairs = [*permutations(LANGUAGES, 2)]
    every = [*tasks(data / "xquad-r", [(f".{asked}", f".{told}") for asked, told in pairs])]
    for (asked, told), task in zip(pairs, every, strict=True):
        if f"{asked}-{told}" in SHOWN_PAIRS:
            corpus.tasks[f"xquad-r {asked}-{told}"] = [task]
    corpus.tasks[CROSS] = every
    return corpus


def spread(keys: list[str], most: int) -> list[str]:
    """At most so many of the keys, evenly spread."""
    return [keys[i * len(keys) // most] for i in range(most)] if len(keys) > most else keys


def cut(text: str, tokens: int, tokenizer: Tokenizer) -> str:
    """The text, or its first tokens."""
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]


def recall(found: Vectors, reference: Vectors, corpus: Corpus, step: int) -> dict[str, Any]:
    """Cosine to the reference's vectors, MRR@10 and hit@1, and what of them is lost.

    Where only every `step`-th text is embedded, there is a cosine and no recall; but vectors that are the same as the
    reference's rank alike and get its figures.
    """
    cosines = np.concatenate([(a * b[::step]).sum(1) for a, b in zip(found, reference, strict=True)])
    least = float(cosines.min())
    facts: dict[str, Any] = {
        "cosine_mean": round(float(cosines.mean()), 6),
        "cosine_least": round(least, 6),
        "cosine_texts": len(cosines),
    }
    if step > 1 and least < SAME:
        return facts | dict.fromkeys(("mrr", "hit_1", "mrr_loss", "hit_1_loss", "mrr_loss_mean"))
    own = {name: scores(tasks, corpus, found if step == 1 else reference) for name, tasks in corpus.tasks.items()}
    lost = {name: scores(tasks, corpus, reference) - own[name] for name, tasks in corpus.tasks.items()}
    for column, name in enumerate(("mrr", "hit_1")):
        facts[name] = {task: round(float(found[:, column].mean()), 2) for task, found in own.items()}
        facts[name + "_loss"] = {task: _mean(found[:, column]) for task, found in lost.items()}
    means = [facts["mrr_loss"][name] for name in MEAN_OF]
    points, error = sum(m["points"] for m in means) / len(means), math.hypot(*(m["se"] for m in means)) / len(means)
    return facts | {"mrr_loss_mean": {"points": round(points, 3), "se": round(error, 3)}}


def scores(tasks: list[Task], corpus: Corpus, vectors: Vectors) -> Scores:
    """Of each question, averaged over the tasks: the same question in other languages is not another observation."""
    rows = [{key: row for row, key in enumerate(texts)} for texts in (corpus.passages, corpus.questions)]
    found = []
    for task in tasks:
        passages = vectors[0][[rows[0][key] for key in task.passages]]
        cosines = vectors[1][[rows[1][key] for key in task.questions]] @ passages.T
        places = {key: place for place, key in enumerate(task.passages)}
        right = cosines[np.arange(len(cosines)), [places[key] for key in task.right]]
        rank = 1 + (cosines > right[:, None]).sum(1)
        found.append(np.stack([np.where(rank <= 10, 1 / rank, 0), rank == 1], 1))
    return np.asarray(100 * np.mean(found, axis=0), np.float64)


def _mean(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """The mean with its standard error over questions."""
    return {
        "points": round(float(values.mean()), 3),
        "se": round(float(values.std(ddof=1)) / math.sqrt(len(values)), 3),
    }
