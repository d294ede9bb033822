"""What a training brought, on the tuning parts: `python training/choose.py --data DIR CHECKPOINT… [--name NAME]`.

Each checkpoint is read in float32, before it is shrunk; without one, the shipped weights as they ship. `--name` keeps
the row of the last one in `results/ablation.json`, from which the model card's table comes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from data import Pool, load
from fit import RIGHT, best, ranking, words_f1
from model import torch_reader
from pipeline import Observed, of_dispatch, of_piaf
from score import spans, written_figures
from sklearn.metrics import roc_auc_score
from written import read

from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader import Reader, load_reader
from dispatch_qa.settings import default_cache

TABLE = Path(__file__).parent / "results" / "ablation.json"
XQUAD = 250  # questions at most, of each of its languages
PART = "tune"


def row(reader: Reader, pool: Pool, data: Path) -> dict[str, float]:
    """A row of the table: F1 and shares in percent, AUROC of the reader's logit alone."""
    asked = {name: [q for q in pool.of_part(PART) if q.dataset == name] for name in ("xquad-r", "piaf-fr")}
    pairs = spans(pool, asked["xquad-r"][:XQUAD], reader)
    dispatch, piaf = of_dispatch(PART, reader), of_piaf(PART, reader, pool, data)
    rank = ranking([*dispatch, *piaf])
    own = written_figures(pool.written_of(PART), reader)["all"]
    return {
        "XQuAD across, F1": _mean([told["f1"] for pair, told in pairs.items() if len({*pair.split("→")}) == 2]),
        "XQuAD within, F1": _mean([told["f1"] for pair, told in pairs.items() if len({*pair.split("→")}) == 1]),
        "PIAF, F1": spans(pool, asked["piaf-fr"], reader)["fr→fr"]["f1"],
        "dispatch: words right": _mean([100 * _right(one, rank) for one in dispatch if one.answerable]),
        "dispatch: AUROC": _auroc(dispatch, rank),
        "PIAF: AUROC": _auroc(piaf, rank),
        "dispatch: hit@1": _mean([100 * _first(one, rank) for one in dispatch if one.answerable]),
        "PIAF: hit@1": _mean([100 * _first(one, rank) for one in piaf if one.answerable]),
        "written: F1": own["f1"],
        "written: AUROC": own["auroc"],
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 1)


def _right(one: Observed, rank: float) -> bool:
    return words_f1(one, best(one, rank)) >= RIGHT


def _first(one: Observed, rank: float) -> bool:
    top = best(one, rank)
    return top is not None and top.relevant


def _auroc(observed: Sequence[Observed], rank: float) -> float:
    tops = [(one.answerable, best(one, rank)) for one in observed]
    labels, logits = zip(*((answerable, top.here) for answerable, top in tops if top), strict=True)
    return round(float(roc_auc_score(labels, logits)), 3)


def main() -> None:
    """Print a row for each checkpoint, and keep the last one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", help="what the row is called in the table")
    parser.add_argument("checkpoints", nargs="*", type=Path)
    arguments = parser.parse_args()
    pool = load(arguments.data, read())
    found: dict[str, Any] = {}
    for checkpoint in arguments.checkpoints or [None]:
        reader = torch_reader(checkpoint) if checkpoint else load_reader(FINGERPRINT, default_cache(), print)
        if reader is None:
            raise SystemExit("the reader is off on this machine")
        found = row(reader, pool, arguments.data)
        print(checkpoint or reader.name, json.dumps(found), flush=True)
    if arguments.name:
        told = json.loads(TABLE.read_text(encoding="utf-8"))
        rows = [
            f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in (told["rows"] | {arguments.name: found}).items()
        ]
        text = f'{{\n "on": {json.dumps(told["on"])},\n "rows": {{\n' + ",\n".join(rows) + "\n }\n}\n"
        TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
