"""What each part of retrieval pays: `python eval/ablation.py [FOLDER…] [--most N]`.

Takes one part away at a time, on the shipped questions' tuning part and on judged sets in BEIR's layout. In a set of
several languages, questions of each are asked of the dispatches of each other one. Writes
`eval/results/ablation.json`, from which `eval/report.py` makes the table in `eval/README.md`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any
from unittest.mock import patch

from questions import judged_set

from dispatch_qa import Settings, evaluate
from dispatch_qa.evaluate import Judged

WITHOUT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "the mean question": {"dispatch_qa.background.SHARE": 0.0},
    "the best sentence": {"dispatch_qa.retrieve.SENTENCE_WEIGHT": 0.0},
    "words in the score": {"dispatch_qa.retrieve.LEXICAL_WEIGHT": 0.0},
    "words in the evidence": {"dispatch_qa.retrieve.EVIDENCE_LEXICAL_WEIGHT": 0.0},
    "candidates by words": {"dispatch_qa.store.Truth.matching": lambda *_: []},
}
SHOWN = ("hit@1", "hit@10", "mrr@10")
TARGET = Path(__file__).parent / "results" / "ablation.json"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--most", type=int, default=1_000, metavar="N", help="questions of a set, evenly spaced")
    options = parser.parse_args()
    sets = [judged_set("tune"), *(evaluate.read_folder(folder) for folder in options.folders)]
    rows = {}
    for name, changes in WITHOUT.items():
        patches = [patch(target, value) for target, value in changes.items()]
        for one in patches:
            one.start()
        rows[name] = {judged.name: measured(judged, options.most) for judged in sets}
        for one in patches:
            one.stop()
        print(name, json.dumps(rows[name]))
    TARGET.write_text(json.dumps({"most": options.most, "without": rows}, indent=1) + "\n", encoding="utf-8")


def measured(judged: Judged, most: int) -> dict[str, float | None]:
    """The mean over the set's pairs of languages, or the set's own figures where its dispatches are in one."""
    settings = Settings.from_env()
    figures = []
    for part in parts(judged):
        answerable = [query for query in part.queries if query.relevant]
        step = max(1, len(answerable) // most)
        records = evaluate.ask_all(part, answerable[::step], evaluate.store_for(part, settings, print))
        report = evaluate.report(part, records, None)
        figures.append({name: report["overall"][name] for name in SHOWN} | {"evidence": report["evidence"]})
    return {
        name: round(mean(f[name] for f in figures), 4) if all(f[name] is not None for f in figures) else None
        for name in (*SHOWN, "evidence")
    }


def parts(judged: Judged) -> Iterator[Judged]:
    """The set, or of one in several languages the questions that are not in the dispatches' language, by language."""
    languages = sorted({dispatch.language for dispatch in judged.dispatches})
    if len(languages) == 1:
        yield judged
        return
    for language in languages:
        part = evaluate.in_language(judged, language)
        yield replace(part, queries=tuple(query for query in part.queries if query.language != language))


if __name__ == "__main__":
    main()
