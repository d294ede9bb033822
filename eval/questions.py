"""The shipped question set: every fact of the shipped dispatch asked in eight languages, and what it does not say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "fr", "de", "es", "uk", "ar", "zh", "pl")
FILE = Path(__file__).parent / "questions.jsonl"


@dataclass(frozen=True, slots=True)
class Gold:
    """A place that answers: `answer` stands in the sentence `evidence`, which stands in `paragraph` (from 1)."""

    paragraph: int
    answer: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question in all languages.

    `part` is "tune" or "report"; facts do not cross. `kind` names what is asked for, or "near-miss" and
    "off-topic" for questions that the dispatch does not answer, whose `gold` is empty.
    """

    id: str
    part: str
    kind: str
    text: dict[str, str]
    gold: tuple[Gold, ...]

    @property
    def answerable(self) -> bool:
        """Whether the dispatch answers the question."""
        return bool(self.gold)


def load_questions(file: Path = FILE) -> list[Question]:
    """All questions, in the file's order."""
    return [_question(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def _question(row: dict[str, object]) -> Question:
    also = row.get("also", [])
    places = [row, *also] if row["answerable"] and isinstance(also, list) else []
    gold = tuple(Gold(place["paragraph"], place["answer"], place["evidence"]) for place in places)
    text = row["text"]
    if not isinstance(text, dict):
        raise TypeError(f"question {row['id']} has no texts by language")
    return Question(str(row["id"]), str(row["part"]), str(row["kind"]), text, gold)
