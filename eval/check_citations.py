"""Check from outside that citations are exact: ask by the command line, compare with what `show` prints.

`python eval/check_citations.py [N]` asks N answerable and unanswerable questions (default 60) in turn in eight
languages, in fresh processes, and uses nothing of the package: what it trusts is the text that `show` prints.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "fr", "de", "es", "uk", "ar", "zh", "pl")
QUESTIONS = Path(__file__).parent / "questions.jsonl"


def main() -> int:
    """Exit with 0 if every quote and every piece of evidence is the slice that it claims to be."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    step = len(rows) / wanted
    picked = [rows[int(n * step)]["text"][LANGUAGES[n % len(LANGUAGES)]] for n in range(wanted)]
    asked = run(["ask", "--questions", "-"], "\n".join(picked))
    answers = [json.loads(line) for line in asked.splitlines()]
    cited = [citation for answer in answers for citation in answer["citations"] + answer["nearest"]]
    texts = {id_: json.loads(run(["show", id_, "--json"]))["text"] for id_ in {c["dispatch_id"] for c in cited}}
    wrong = [citation for citation in cited if not is_exact(citation, texts[citation["dispatch_id"]])]
    for citation in wrong:
        print(f"not exact: {citation}")
    print(
        f"{len(answers)} questions in {len(LANGUAGES)} languages, {len(cited)} citations, "
        f"{len(cited) - len(wrong)} exact, {len(wrong)} not"
    )
    return 1 if wrong or len(answers) != wanted or not cited else 0


def is_exact(citation: dict[str, Any], text: str) -> bool:
    """Whether all that a citation quotes is the slice of `text` that it names, inside what it should be inside."""
    evidence, inside = citation["evidence"], [citation["answer"], citation["said_by"]]
    pairs = [(citation, citation), (evidence, citation), *((inner, evidence) for inner in inside if inner)]
    return all(
        text[inner["start"] : inner["end"]] == inner["quote"]
        and outer["start"] <= inner["start"] < inner["end"] <= outer["end"]
        for inner, outer in pairs
    )


def run(arguments: list[str], stdin: str = "") -> str:
    """What the command line prints."""
    command = [sys.executable, "-m", "dispatch_qa", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} left with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
