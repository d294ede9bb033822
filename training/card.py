"""Put the figures of `training/results/*.json` into the model card: `python training/card.py`; `--check` compares."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dispatch_qa.reader.evidence import SURE

HERE = Path(__file__).parent
CARD = HERE / "README.md"
BEGIN, END = "<!-- figures:start -->", "<!-- figures:end -->"
LANGUAGES = ("en", "de", "es", "ru", "zh")
SHARES = ("hit@1 without the reader", "hit@1", "evidence", "words right", "words told", "told words right")
REFUSING = ("precision", "recall", "answerable let through")


def main() -> int:
    """Write the tables, or exit with 1 where the card does not hold them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = CARD.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    wanted = f"{before}{BEGIN}\n{figures()}{END}{rest.split(END)[1]}"
    if parser.parse_args().check:
        return 0 if wanted == text else 1
    CARD.write_text(wanted, encoding="utf-8")
    return 0


def figures() -> str:
    """All tables."""
    read, tool, speed, ablation = (_told(name) for name in ("reader", "calibration", "speed", "ablation"))
    return "\n".join([*_spans(read), *_whole_tool(tool), *_speed(speed), *_ablation(ablation), ""])


def _spans(told: dict[str, Any]) -> Iterable[str]:
    pairs = told["xquad-r"]
    n = pairs["en→en"]["n"]
    yield f"**Span F1** on paragraphs not trained on (`{told['reader']}`, `python training/score.py --data DIR`)."
    yield f"XQuAD, {n} questions; down the question's language, across the passage's:\n"
    rows = [(one, *(f"{pairs[f'{one}→{other}']['f1']:.1f}" for other in LANGUAGES)) for one in LANGUAGES]
    yield from _table(("", *LANGUAGES), rows)
    yield f"\nMean over the pairs of different languages: **{told['xquad-r across, f1']:.1f}**. Other sets:\n"
    others = {name: told[name] for name in ("piaf-fr", "squad2-en", "squad2-es", "afriqa-en")}
    beside = told["beside, auroc"]
    rows = [
        (
            name,
            f"{sum(row['n'] for row in found.values()):,}",
            *(f"{_mean(found, measure):.1f}" for measure in ("f1", "exact")),
            f"{beside[name]:.3f}" if name in beside else "",
        )
        for name, found in others.items()
    ]
    yield from _table(("set", "questions", "F1", "exact", "AUROC, answerable or only on its topic"), rows)
    yield "\n**Wire copy written for the training**, dispatches that it has not seen, by language: each question beside"
    yield "its paragraph; AUROC of answerable ones against near misses:\n"
    rows = [
        (language, f"{row['n']:,}", f"{row['f1']:.1f}", f"{row['auroc']:.3f}")
        for language, row in told["written"].items()
    ]
    yield from _table(("", "questions", "F1", "AUROC"), rows)
    yield ""


def _whole_tool(told: dict[str, Any]) -> Iterable[str]:
    sets = {name: row for name, row in told.items() if name != "reader"}
    yield "**The whole tool**, on questions that neither training nor calibration saw"
    yield "(`python training/fit.py --data DIR`):\n"
    rows: list[Sequence[str]] = [
        ("questions, answerable / not", *(f"{row['answerable']} / {row['unanswerable']}" for row in sets.values())),
        *((name, *(f"{100 * row[name]:.1f}" for row in sets.values())) for name in SHARES),
        ("answerable or not, AUROC", *(f"{row['auroc']:.3f}" for row in sets.values())),
        *(
            (f"AUROC against: {kind}", *(f"{row['auroc by kind'].get(kind, '')}" for row in sets.values()))
            for kind in dict.fromkeys(kind for row in sets.values() for kind in row["auroc by kind"])
        ),
        *((f"refusing: {name}", *(f"{row['refusing'][name]:.3f}" for row in sets.values())) for name in REFUSING),
    ]
    yield from _table(("", *sets), rows)
    yield "\nWords are right where their F1 with the gold words is a half at least. They are told where they and those"
    yield f"within and around them have {SURE} of all spans' probability; else the sentence stands for itself.\n"
    for name, row in sets.items():
        if len(row["by language"]) > 1:
            yield f"**By language of the question**, {name}, in percent:\n"
            cells = [
                (language, *(f"{100 * share:.0f}" for share in both)) for language, both in row["by language"].items()
            ]
            yield from _table(("", "answerable ones let through", "others refused"), cells)
            yield ""
    yield "**Reliability** of the probability, by tenths: questions, mean probability, share that is answerable.\n"
    for name, row in sets.items():
        lines = [(f"{one['n']}", f"{one['probability']:.2f}", f"{one['answerable']:.2f}") for one in row["reliability"]]
        yield from _table((name, "probability", "answerable"), lines)
        yield ""


def _speed(told: dict[str, Any]) -> Iterable[str]:
    yield "**What it adds to a question** over the shipped dispatch, up to five passages read, medians in milliseconds"
    yield f"(`python training/speed.py`; {told['cores']} cores, load {told['load before']:.1f} when it began):\n"
    rows = [
        (
            name,
            *(f"{told[name][lane][kind]:,.0f}" for kind in ("wall ms", "processor ms") for lane in ("off", "auto")),
        )
        for name in ("warm", "cold")
    ]
    yield from _table(("", "wall, without", "wall, with", "processor, without", "processor, with"), rows)
    yield ""


def _ablation(told: dict[str, Any]) -> Iterable[str]:
    yield f"**What was tried** ({told['on']}):\n"
    columns = list(dict.fromkeys(column for row in told["rows"].values() for column in row))
    rows = [(name, *(f"{row.get(column, '')}" for column in columns)) for name, row in told["rows"].items()]
    yield from _table(("", *columns), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _mean(found: dict[str, dict[str, float]], measure: str) -> float:
    """Over all questions."""
    return sum(row["n"] * row[measure] for row in found.values()) / sum(row["n"] for row in found.values())


def _told(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return told


if __name__ == "__main__":
    raise SystemExit(main())
