"""Measure everything side by side in one run: `python benchmarks/run.py` (or `make bench`), `--quick` to try it.

Writes benchmarks/results/latest.json, or partial.json beside it where less than everything was measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import cold, encode, grow, machine, search, warm
from benchmarks.common import CACHE, RESULTS, ROOT, BenchError, say, write_json
from benchmarks.environments import OURS, module, python_of, versions_of
from benchmarks.inputs import Inputs, make
from benchmarks.measure import run
from benchmarks.options import FULL, QUICK, Options

SCHEMA = 1
FIGURES = ("cold_ask", "build_shipped", "warm_query", "encoding", "search", "growth")


def main() -> int:
    """Measure what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that measured processes end with this one
    arguments = _parser().parse_args()
    try:
        options, only = _options(arguments), _only(arguments.only)
        whole = options == replace(FULL, texts=options.texts) and only == FIGURES
        output = arguments.output or RESULTS / ("latest.json" if whole else "partial.json")
        results = _measured(options, only)
    except BenchError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    write_json(output, results)
    name = output.resolve()
    say(f"Written: {name.relative_to(ROOT) if name.is_relative_to(ROOT) else name}")
    return 0


def _measured(options: Options, only: tuple[str, ...]) -> dict[str, Any]:
    start = time.monotonic()
    environments = [OURS, *sorted(_environments(options, only))]
    for name in environments:
        python_of(name)
    busy = machine.load()
    inputs = make(options)
    if any(name.startswith("bare") for name in options.peers) and {"cold_ask", "build_shipped"} & set(only):
        _export(inputs)
    jobs: dict[str, Callable[[], dict[str, Any]]] = {
        "cold_ask": lambda: cold.cold_ask(options, inputs),
        "build_shipped": lambda: cold.build_shipped(options, inputs),
        "warm_query": lambda: warm.warm_query(options, inputs),
        "encoding": lambda: encode.encoding(options, inputs),
        **{f"search_{n}": lambda n=n: search.search(options, n) for n in options.vectors},  # type: ignore[misc]
        "growth": lambda: grow.growth(options, inputs),
    }
    done: dict[str, Any] = {}
    for name, job in jobs.items():
        if name.split("_")[0] in {figure.split("_")[0] for figure in only}:
            say(f"{name} …")
            done[name] = job()
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "source_sha256": machine.source_sha256(),
        "machine": machine.machine() | {"load_before": busy, "load_after": machine.load()},
        "minutes": round((time.monotonic() - start) / 60, 1),
        "options": options.as_dict(),
        "figures": done,
        "versions": {name: versions_of(name) for name in environments},
    }


def _environments(options: Options, only: tuple[str, ...]) -> set[str]:
    """The environments that the figures asked for are measured in."""
    found = set()
    if {"cold_ask", "build_shipped"} & set(only):
        found |= {cold.SCRIPTS[name][0] for name in options.peers}
    if {"warm_query", "encoding"} & set(only):
        found.add("sentence_transformers")
    return found | ({"export"} if "bare" in found else set())


def _export(inputs: Inputs) -> None:
    """Make the ONNX files of the bare script where they are not those of this model."""
    marker = CACHE / "onnx" / inputs.model.name
    if not marker.exists():
        say("Exporting the model to ONNX for the bare script (once) …")
        run(module("export", "peers.export", inputs.model, CACHE / "onnx"))
        marker.touch()


def _options(arguments: argparse.Namespace) -> Options:
    given: dict[str, Any] = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in fields(Options)
        if (value := getattr(arguments, field.name, None)) is not None
    }
    options = replace(QUICK if arguments.quick else FULL, **given)
    if unknown := set(options.peers) - set(FULL.peers):
        raise BenchError(f"no peer {sorted(unknown)[0]!r}; type: --peers " + ",".join(f'"{n}"' for n in FULL.peers))
    if options.texts and not Path(options.texts).is_file():
        raise BenchError(f"there is no file {options.texts}; type: --texts FILE, JSON lines with a field text")
    return options


def _only(given: str | None) -> tuple[str, ...]:
    chosen = tuple(given.split(",")) if given else FIGURES
    if unknown := set(chosen) - set(FIGURES):
        raise BenchError(f"no figure {sorted(unknown)[0]!r}; type: --only " + ",".join(FIGURES))
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, few peers: a smoke run of some minutes")
    parser.add_argument("--only", metavar="NAMES", help="of: " + ",".join(FIGURES))
    parser.add_argument("--output", type=Path, metavar="FILE", help="in place of benchmarks/results/…")
    for field in fields(Options):
        value = getattr(FULL, field.name)
        flag, shown = "--" + field.name.replace("_", "-"), str(value)
        if field.name == "texts":
            parser.add_argument(flag, metavar="FILE", help="JSON lines with a field text, for the warm query")
        elif isinstance(value, int):
            parser.add_argument(flag, type=int, metavar="N", help=f"default {shown}")
        else:
            kind = _ints if field.name != "peers" else _names
            shown = ",".join(map(str, value))
            parser.add_argument(flag, type=kind, metavar="A,B,…", help=f"default {shown}")
    return parser


def _ints(text: str) -> list[int]:
    return [int(part) for part in text.replace("_", "").split(",")]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


if __name__ == "__main__":
    raise SystemExit(main())
