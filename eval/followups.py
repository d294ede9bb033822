"""Which way of reading a follow-up finds the passage that answers: `python eval/followups.py`.

`followups.jsonl` holds pairs of questions on the shipped dispatch in seven languages, and the paragraphs that answer
the second. The ways of reading were chosen on these very pairs: the figures compare them, and promise nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.followup import read

FILE = Path(__file__).parent / "followups.jsonl"


def ways(question: str, before: str) -> dict[str, str]:
    """The second question of a pair, by way of reading it."""
    return {
        "alone": question,
        "both, one after the other": f"{before} {question}",
        "as followup.read": read(question, before) or question,
    }


def main() -> None:
    """Print how often the first passage found answers, by way and language."""
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    dispatches = DispatchQA(Settings())
    right: Counter[tuple[str, str]] = Counter()
    asked: Counter[str] = Counter()
    for row in rows:
        for language, (before, question) in row["text"].items():
            asked[language] += 1
            for way, text in ways(question, before).items():
                (hit,) = dispatches.search(text, 1)
                right[way, language] += hit.passage.paragraph in row["paragraphs"]
    print(f"{'':<28}{'all':>8}" + "".join(f"{language:>8}" for language in asked))
    for way in dict.fromkeys(way for way, _ in right):
        total = sum(right[way, language] for language in asked)
        each = "".join(f"{right[way, language]:>5}/{n}" for language, n in asked.items())
        print(f"{way:<28}{total:>5}/{asked.total()}{each}")


if __name__ == "__main__":
    main()
