"""Fit the mean question of each language: `python eval/background.py FILE`, after a change of model.

FILE holds questions of any kind as JSON lines with `text` and `metadata.language`. Every other one is used, so that
the rest can still be asked in a measurement. Writes `src/dispatch_qa/data/background.json`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from dispatch_qa.background import FILE
from dispatch_qa.embed import load_embedder
from dispatch_qa.settings import DEFAULT_MODEL, Settings

SCALE = 10_000
MOST = 250
TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / FILE


def main() -> None:
    """Fit, write, and say of how many questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    file: Path = parser.parse_args().file
    questions: defaultdict[str, list[str]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines()[::2]:
        row = json.loads(line)
        questions[row["metadata"]["language"]].append(row["text"])
    settings = Settings.from_env()
    embedder = load_embedder(DEFAULT_MODEL, settings.cache, settings.batch_size, settings.lane)
    used = {language: texts[:MOST] for language, texts in sorted(questions.items())}
    means = {language: embedder.queries(texts).mean(axis=0) for language, texts in used.items()}
    means["all"] = np.mean(list(means.values()), axis=0)
    card = {
        "fingerprint": embedder.fingerprint,
        "fitted_on": ", ".join(f"{len(texts)} {language}" for language, texts in used.items())
        + " questions about other things than the measuring sets (MIRACL and others, Apache-2.0 and CC BY 4.0)",
        "fitted_by": "python eval/background.py FILE",
        "scale": SCALE,
        "means": {language: np.rint(SCALE * mean).astype(int).tolist() for language, mean in means.items()},
    }
    TARGET.write_text(json.dumps(card) + "\n", encoding="utf-8")
    print(card["fitted_on"])


if __name__ == "__main__":
    main()
