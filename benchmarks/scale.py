"""How a store behaves as it grows: `python benchmarks/scale.py --data DIR`, where DIR holds the folder `prose`.

Real text added in ten slices, with the real encoder and, for more of it, with made vectors; ten dispatches added to
what came of that and to an empty store; a million passages of made words and made vectors, written by the store's own
writer. Every step is a process of its own. Writes benchmarks/results/scale.json. Where cores are shared, seconds by the
clock say little: `cpu_s`, the processor's, is what to compare.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.common import CACHE, RESULTS, BenchError, read_json, say, write_json
from benchmarks.environments import OURS, module, versions_of
from benchmarks.measure import Run, run

SCHEMA = 1
SLICES = 10
PARTS = ("real", "made", "million")
LIBRARIES = ("faiss-cpu", "numpy", "onnxruntime", "rensa", "tokenizers")
REAL_QUESTIONS = [
    "Qui habite la maison au bord de la mer ?",
    "Who came to dinner at the castle?",
    "Хто приїхав до села восени?",
    "Pourquoi le curé a-t-il quitté la paroisse ?",
    "What did the captain say to his wife?",
    "Чому мати плакала за сином?",
    "Combien coûte le voyage à Paris ?",
    "Where did the old man hide the money?",
]


def main() -> int:
    """Measure what the command line asks for, into what was measured before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="holds prose/*.jsonl.gz")
    parser.add_argument("--only", default=",".join(PARTS), metavar="NAMES", help="of: " + ",".join(PARTS))
    parser.add_argument("--real", type=int, default=20_000, metavar="N", help="passages with the real encoder")
    parser.add_argument("--made", type=int, default=100_000, metavar="N", help="passages of real text, made vectors")
    parser.add_argument(
        "--million", type=int, default=1_000_000, metavar="N", help="passages of made words and vectors"
    )
    parser.add_argument("--output", type=Path, default=RESULTS / "scale.json", metavar="FILE")
    given = parser.parse_args()
    try:
        done = read_json(given.output)["figures"] if given.output.exists() else {}
        for name in given.only.split(","):
            heading = _heading()
            figure = million(given.million) if name == "million" else text(given.data, name, getattr(given, name))
            done[name] = heading | figure
            write_json(
                given.output, {"schema": SCHEMA, "figures": {part: done[part] for part in PARTS if part in done}}
            )
    except BenchError as error:
        say(f"error: {error}")
        return 1
    return 0


def text(data: Path, encoder: str, passages: int) -> dict[str, Any]:
    """Real text added in ten slices; then ten dispatches more, there and to an empty store; and what else one does."""
    prose, place = data / "prose", CACHE / "scale" / encoder
    if not prose.is_dir():
        raise BenchError(f"there is no folder {prose}; type: --data DIR, which holds prose/*.jsonl.gz")
    shutil.rmtree(place, ignore_errors=True)
    call("inputs", prose, place / "wire", passages)
    store, none = place / "store", place / "empty"
    slices = []
    for number in range(SLICES):
        say(f"{encoder}: slice {number + 1} of {SLICES}")
        slices.append(_added(call("add", store, _named(encoder, number), place / "wire" / str(number))))
    questions = json.dumps(REAL_QUESTIONS * 4)
    told: dict[str, Any] = {
        "title": "Real text in ten slices, "
        + ("real encoder" if encoder == "real" else "made vectors in place of the encoder's"),
        "passages": sum(one["passages"] for one in slices),
        "slices": slices,
        "ten_more": {"full": [], "empty": []},
    }
    for turn in range(5):
        for name, target in (("full", store), ("empty", none)):
            if target is none:
                shutil.rmtree(none, ignore_errors=True)
                call("empty", none, _named(encoder, 99))
            done = call("add", target, _named(encoder, 100 + turn), place / "wire" / f"more-{turn}")
            told["ten_more"][name].append(_added(done))
    told["ask"] = _measured(call("ask", store, _named(encoder, 98), questions))
    told["list"] = _measured(call("list", store))
    told["remove_1"] = _measured(call("remove", store, 1))
    told["remove_10"] = _measured(call("remove", store, 10))
    told["check"] = _measured(call("check", store))
    shutil.rmtree(place)
    return told


def million(passages: int) -> dict[str, Any]:
    """Made words and made vectors: what building, opening, filtering, asking, adding and removing take."""
    place = CACHE / "scale" / "million"
    shutil.rmtree(place, ignore_errors=True)
    say(f"million: building {passages:,} passages")
    built = _measured(call("made", place / "store", passages))
    asked = [f"{a} {b}" for a, b in MADE_WORDS] * 4
    told: dict[str, Any] = {
        "title": "Made words and made vectors, written by the store's own writer",
        "built": built,
        "ask": _measured(call("ask", place / "store", "made98", json.dumps(asked))),
        "ten_more": [],
    }
    more = place / "more"
    for number in range(10):
        words = " ".join(f"{a}{number} {b}" for a, b in MADE_WORDS)
        (more / str(number % 2)).mkdir(parents=True, exist_ok=True)
        (more / str(number % 2) / f"more-{number}.txt").write_text(f"Dépêche {number} : {words}.\n", encoding="utf-8")
    for turn in range(2):
        done = call("add", place / "store", f"made{100 + turn}", more / str(turn))
        told["ten_more"].append(_added(done))
    told["remove_1"] = _measured(call("remove", place / "store", 1))
    shutil.rmtree(place)
    return told


MADE_WORDS = [("bada", "kuzi"), ("lomi", "rano"), ("tesu", "vopa"), ("nidu", "gafe"), ("somo", "zilu")]
"""Pairs of words such as the made texts have, frequent and rare."""


def call(*command: str | Path | int) -> Run:
    """Run a command of `scaled.py` to its end."""
    return run(module(OURS, "scaled", *command))


def _added(done: Run) -> dict[str, Any]:
    told = _measured(done)
    whole = told["whole"]
    rates = {f"passages_per_{unit}": told["passages"] / whole[unit] for unit in ("wall_s", "cpu_s") if whole[unit]}
    return {**_rounded(rates), **told}


def _measured(done: Run) -> dict[str, Any]:
    told: dict[str, Any] = _rounded({**done.result, "peak_mb": done.peak_mb})
    return told


def _named(encoder: str, number: int) -> str:
    return encoder if encoder == "real" else f"made{number}"


def _heading() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "source_sha256": machine.source_sha256(),
        "machine": machine.machine() | {"load_before": machine.load()},
        "versions": {name: version for name, version in versions_of(OURS).items() if name in LIBRARIES},
    }


def _rounded(value: Any) -> Any:
    """Five significant digits; more would be noise."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    raise SystemExit(main())
