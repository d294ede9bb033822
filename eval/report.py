"""Put the figures of `eval/results/*.json` into the READMEs: `python eval/report.py`; `--check` only compares."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
OWN_README = HERE / "README.md"
ABLATION = HERE / "results" / "ablation.json"
BEGIN, END = "<!-- {}:start -->", "<!-- {}:end -->"
COLUMNS = ("hit@1", "hit@10", "mrr@10")


def main() -> int:
    """Write the tables, or exit with 1 where a README does not hold its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    missing = 0
    for file, name, lines in ((README, "eval", table()), (OWN_README, "ablation", ablation())):
        text = file.read_text(encoding="utf-8")
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = text.split(begin)
        wanted = f"{before}{begin}\n{lines}{end}{rest.split(end)[1]}"
        missing += wanted != text
        if not only_check:
            file.write_text(wanted, encoding="utf-8")
    return int(only_check and missing > 0)


def table() -> str:
    """One row a set, and one for the mean over the pairs of different languages where a set has several."""
    rows = []
    for file in sorted((HERE / "results").glob("*.json")):
        if file == ABLATION:
            continue
        figures = json.loads(file.read_text(encoding="utf-8"))
        if "dataset" not in figures:  # another kind of figures
            continue
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


def ablation() -> str:
    """One row a part that was taken away, one column group a set: hit@1 / hit@10 / MRR@10 and the evidence."""
    rows = json.loads(ABLATION.read_text(encoding="utf-8"))["without"]
    sets = list(next(iter(rows.values())))
    names = [*(f"{name}: hit@1 / hit@10 / MRR@10" for name in sets), *(f"{name}: evidence" for name in sets)]
    lines = [("without", *names), ("---",) * (1 + len(names))]
    for part, figures in rows.items():
        ranked = [" / ".join(_ranking(figures[name])) for name in sets]
        lines.append((part, *ranked, *(_percent(figures[name]["evidence"]) for name in sets)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _ranking(values: dict[str, float]) -> tuple[str, ...]:
    return tuple(_percent(values[name]) for name in COLUMNS)


def _percent(value: Any) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
