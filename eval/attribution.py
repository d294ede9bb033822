"""Measure who-said-it on 100 hand-marked sentences: `python eval/attribution.py`.

Right is the same speaker, word for word, or rightly none. The cues were written with the tuning half in sight;
the reported half is the other one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dispatch_qa.attribution import speaker

SENTENCES = Path(__file__).parent / "attribution.jsonl"
RESULTS = Path(__file__).parent / "results" / "attribution.json"


def main() -> None:
    """Write and print how many are right, by part and language; with an argument, show those of that part that fail."""
    rows = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    told: dict[str, Any] = {}
    for part in ("tune", "report"):
        for language in ("all", *sorted({row["language"] for row in rows})):
            chosen = [row for row in rows if row["part"] == part and language in ("all", row["language"])]
            right = sum(named(row) == row["speaker"] for row in chosen)
            told.setdefault(part, {})[language] = {"n": len(chosen), "right": round(right / len(chosen), 3)}
    for row in rows:
        if row["part"] in sys.argv[1:] and named(row) != row["speaker"]:
            print(row["language"], row["text"], "|", row["speaker"], "|", named(row))
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


def named(row: dict[str, Any]) -> str | None:
    """The speaker that is found."""
    span = speaker(row["text"], row["language"])
    return span.of(row["text"]) if span else None


if __name__ == "__main__":
    main()
