"""The shipped question set: every fact of the shipped dispatch asked in eight languages, and what it does not say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.evaluate import Judged, Query

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


def judged_set(part: str) -> Judged:
    """The shipped questions of a part, in every language, over the shipped dispatch."""
    dispatch = DispatchQA(Settings()).show("dispatch.fr")
    queries = [
        Query(
            query_id=f"{question.id}.{language}",
            text=question.text[language],
            language=language,
            relevant=frozenset(f"dispatch.fr#{gold.paragraph}" for gold in question.gold),
            gold={f"dispatch.fr#{gold.paragraph}": [gold.answer] for gold in question.gold},
        )
        for question in load_questions()
        for language in LANGUAGES
        if part in ("all", question.part)
    ]
    return Judged(f"dispatch-{part}", (dispatch,), tuple(queries), lambda c: f"{c.dispatch_id}#{c.paragraph}")
