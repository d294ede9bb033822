"""Questions written for the training on passages of the public sets: `asked/*.jsonl`.

The sets ask nearly always in a passage's own language. These ask in nine, several times for the same fact, for what
several candidates of a kind stand beside, and for what is not told: `asked/README.md`.

A line is a question; `answers` tells by passage where the words that answer begin and end, in characters, and `beside`
the passages that come near where none answers. Nothing of a passage is copied.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from data import OWN, Asked, Pool

FOLDER = Path(__file__).with_name("asked")


def questions(pool: Pool, folder: Path) -> list[Asked]:
    """All of a folder's questions, in order; one for each passage that a question comes near.

    Raises:
        ValueError: a passage is not of the part that trains, or an answer is not within it.
    """
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            key = f"{OWN}-{file.stem}-{number}"
            golds = {}
            for passage_id, (start, end) in row.get("answers", {}).items():
                words = _train_text(pool, passage_id, key)[start:end]
                if len(words) != end - start or not words.strip():
                    raise ValueError(f"{key}: {start} to {end} is not within {passage_id}")
                golds[passage_id] = [(start, words)]
            for passage_id in row.get("beside", ()):
                _train_text(pool, passage_id, key)
            nears: list[str | None] = [None] if golds else row["beside"]
            found += [Asked(key, row["text"], row["language"], OWN, golds, near) for near in nears]
    return found


def nearest(some: Iterable[Asked], pool: Pool, known: Mapping[str, list[str]], count: int) -> dict[str, list[str]]:
    """For each answered question, the wrong passages, at most `count`, that `known` has most for others on its own."""
    ranked: dict[str, Counter[str]] = defaultdict(Counter)
    for other in pool.questions:
        for passage_id in other.golds:
            ranked[passage_id].update(known.get(other.query_id, ()))
    found = {}
    for asked in some:
        if asked.golds:
            near = sum((ranked[passage_id] for passage_id in asked.golds), Counter[str]())
            found[asked.query_id] = pool.wrong_for(asked, (one for one, _ in near.most_common()))[:count]
    return found


def _train_text(pool: Pool, passage_id: str, key: str) -> str:
    passage = pool.passages.get(passage_id)
    if passage is None or passage.part != "train":
        raise ValueError(f"{key}: {passage_id} is no passage that trains")
    return passage.text
