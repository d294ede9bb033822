"""Put the figures of `eval/results/*.json` into the README: `python eval/report.py`; `--check` only compares."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- eval:start -->", "<!-- eval:end -->"
COLUMNS = ("hit@1", "hit@10", "mrr@10")


def main() -> int:
    """Write the table, or exit with 1 where the README does not hold it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    wanted = f"{before}{BEGIN}\n{table()}{END}{rest.split(END)[1]}"
    if parser.parse_args().check:
        return 0 if wanted == text else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


def table() -> str:
    """One row a set, and one for the mean over the pairs of different languages where a set has several."""
    rows = []
    for file in sorted((HERE / "results").glob("*.json")):
        figures = json.loads(file.read_text(encoding="utf-8"))
        rest = (
            _percent(figures["evidence"]),
            _number(figures["refusal"]["auroc"]),
            _percent(figures["citations_exact"]),
        )
        rows.append((figures["dataset"], f"{figures['n']:,}", *_ranking(figures["overall"]), *rest))
        across = [v for pair, v in figures["by_pair"].items() if len(set(pair.split("->"))) == 2]
        if across:
            middle = {name: mean(values[name] for values in across) for name in COLUMNS}
            rows.append((f"{figures['dataset']}, {len(across)} pairs of languages", "", *_ranking(middle), "", "", ""))
    head = ("set", "questions", *COLUMNS, "evidence", "refusal AUROC", "exact")
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _ranking(values: dict[str, float]) -> tuple[str, ...]:
    return tuple(_percent(values[name]) for name in COLUMNS)


def _percent(value: Any) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
