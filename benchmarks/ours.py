"""Dispatch QA's side of the figures, in processes of the project's environment, through its public interface.

`prepare STORE TEXTS`, `serve-queries STORE`, `serve-encode`, `compare A B`, `grow ENCODER WIRE STORE`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.common import read_json, serve, tell
from dispatch_qa import DispatchQA, Settings, build
from dispatch_qa.embed import load_embedder
from dispatch_qa.settings import DEFAULT_MODEL


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "prepare": prepare,
        "serve-queries": serve_queries,
        "serve-encode": serve_encode,
        "compare": compare,
        "grow": grow,
    }
    commands[command](*rest)


def prepare(store: str, texts: str) -> None:
    """Build a store of the texts of a JSON file, one dispatch each."""
    settings = replace(Settings.from_env(), index=Path(store))
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(read_json(texts)):
            (Path(folder) / f"text-{number:06}.txt").write_text(text + "\n", encoding="utf-8")
        build(settings, [Path(folder)])
    tell({"passages": DispatchQA(settings).info().passages})


def serve_queries(store: str) -> None:
    """Answer lists of questions with the milliseconds that each took, without the reader: see `training/speed.py`."""
    dispatches = DispatchQA(replace(Settings.from_env(), index=Path(store), reader="off"))
    dispatches.search("Who?")  # loads the model

    def answer(questions: list[str]) -> list[float]:
        took = []
        for question in questions:
            start = time.perf_counter()
            dispatches.search(question, 3)
            took.append((time.perf_counter() - start) * 1000)
        return took

    serve(answer)


def serve_encode() -> None:
    """Embed files of texts; tell the seconds that it took."""
    settings = Settings.from_env()
    embedder = load_embedder(DEFAULT_MODEL, settings.cache, settings.batch_size)

    def encode(request: dict[str, str]) -> float:
        texts = read_json(request["texts"])
        start = time.perf_counter()
        vectors = embedder.passages(texts)
        took = time.perf_counter() - start
        np.save(request["save"], vectors)
        return took

    serve(encode)


def compare(ours: str, theirs: str) -> None:
    """How well two files of unit vectors agree, row by row."""
    cosines = (np.load(ours) * np.load(theirs)).sum(axis=1)
    tell({"mean": round(float(cosines.mean()), 5), "min": round(float(cosines.min()), 5)})


def grow(encoder: str, wire: str, store: str) -> None:
    """Build a store of a folder of text files; loading the encoder is not timed."""
    shutil.rmtree(store, ignore_errors=True)
    settings = replace(Settings.from_env(), index=Path(store))
    real = encoder == "real"
    embedder = load_embedder(DEFAULT_MODEL, settings.cache, settings.batch_size) if real else StandIn()
    start = time.perf_counter()
    build(settings, [Path(wire)], embedder=embedder)
    took = time.perf_counter() - start
    passages = DispatchQA(settings, embedder=embedder).info().passages
    disk = sum(path.stat().st_size for path in Path(store).iterdir())
    tell({"build_s": took, "passages": passages, "disk_bytes": disk})


class StandIn:
    """An embedder that costs nothing: made unit vectors, the same in every run, and a guess at the tokens."""

    name = "stand-in"
    fingerprint = "stand-in/1"
    lane = "stand-in"
    dim = 384
    max_tokens = 500

    def __init__(self, seed: int = 7) -> None:
        self._rng = np.random.default_rng(seed)

    def count_tokens(self, text: str) -> int:
        return len(text) // 4 + 1

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = self._rng.standard_normal((len(texts), self.dim), np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    main()
