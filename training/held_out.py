"""The questions that the reader was not trained on, as sets to be scored: `python training/held_out.py --data DIR OUT`.

Each set keeps its whole corpus, so that retrieval has as much to choose from, and the questions of its test part;
`OUT/unanswerable.jsonl` holds that part's French questions about other things.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from data import Pool, load

SETS = ("piaf-fr", "xquad-r")


def write(pool: Pool, data: Path, out: Path) -> None:
    """Write the sets' test parts into folders of `out`."""
    test = {asked.query_id for asked in pool.of_part("test")}
    other = {asked.query_id for asked in pool.off_of("test") if asked.language == "fr"}
    for name in SETS:
        source, target = data / name, out / f"{name}-held-out"
        (target / "qrels").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "corpus.jsonl", target / "corpus.jsonl")
        _copy(source / "queries.jsonl", target / "queries.jsonl", lambda line: json.loads(line)["_id"] in test)
        _copy(source / "answers.jsonl", target / "answers.jsonl", lambda line: json.loads(line)["query_id"] in test)
        known = {"query-id", *test}
        _copy(source / "qrels" / "test.tsv", target / "qrels" / "test.tsv", lambda line: line.split("\t")[0] in known)  # noqa: B023
    file = data / "offcorpus" / "queries.jsonl"
    _copy(file, out / "unanswerable.jsonl", lambda line: json.loads(line)["_id"] in other)


def _copy(source: Path, target: Path, wanted: Callable[[str], bool]) -> None:
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    target.write_text("".join(filter(wanted, lines)), encoding="utf-8")


def main() -> None:
    """Parse the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write(load(arguments.data), arguments.data, arguments.out)


if __name__ == "__main__":
    main()
