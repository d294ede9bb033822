"""Score the shipped questions: `python eval [--part tune|report|all] [--json] [--records FILE]`.

What is judged is the paragraph: a citation of any paragraph that answers counts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from questions import LANGUAGES, load_questions

from dispatch_qa import DispatchQA, Settings, evaluate, present
from dispatch_qa.evaluate import Judged, Query


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


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["tune", "report", "all"], default="report")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=Path)
    options = parser.parse_args()
    figures, records = evaluate.evaluate(judged_set(options.part), Settings.from_env())
    print(json.dumps(figures, indent=2) if options.json else present.eval_text(figures))
    if options.records:
        evaluate.write_records(records, options.records)


if __name__ == "__main__":
    main()
