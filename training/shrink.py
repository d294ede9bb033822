"""Trained weights to the small file that ships, and its card with golden readings.

A matrix's difference from the encoder's is kept at `RANK`, its factors as int8 with one scale for each rank; vectors
and heads as float16. The golden readings are torch's, in float32, with these very weights.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model import TorchReader
from safetensors.numpy import load_file, save

from dispatch_qa.embed.onnx_graph import tamed_maps
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader.weights import CARD, FILE, laid_over
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.records import Span
from dispatch_qa.split import paragraphs

RANK = 64
ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "dispatch_qa"
GOLDEN_LANGUAGES = ("en", "fr", "uk", "zh")


def shrink(checkpoint: Path, folder: Path) -> dict[str, Any]:
    """The small file's tensors, from a checkpoint of `train.py` and the folder of the default model."""
    base = load_file(folder / "model.safetensors")
    small: dict[str, Any] = {}
    for name, value in torch.load(checkpoint, weights_only=True)["model"].items():
        stem, array = name.removeprefix("encoder."), value.float().numpy()
        # The encoder's own layers are called "encoder." too: only the module's name in front of them goes.
        difference = array - base[stem] if stem in base else array
        if stem in base and array.ndim == 2:
            left, values, right = np.linalg.svd(difference, full_matrices=False)
            left, left_scale = _int8(left[:, :RANK].T)
            right, right_scale = _int8(right[:RANK])
            small[stem + "/left"] = np.ascontiguousarray(left.T)
            small[stem + "/right"] = right
            small[stem + "/scale"] = (left_scale * right_scale * values[:RANK]).astype(np.float32)
        else:
            small[stem + "/vector"] = difference.astype(np.float16)
    return small


def _int8(rows: Any) -> tuple[Any, Any]:
    """Rows as int8, and the scale of each."""
    scale = np.abs(rows).max(1) / 127
    return np.rint(rows / scale[:, None]).astype(np.int8), scale


def pairs() -> list[tuple[str, Span]]:
    """Shipped questions, each with the paragraph that answers it or, every other time, with the next one."""
    spans = paragraphs(shipped_dispatch().text)
    lines = (ROOT / "eval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [row for row in map(json.loads, lines) if row["answerable"]][::4]
    return [
        (row["text"][language], spans[(row["paragraph"] - 1 + number % 2) % len(spans)])
        for row in asked
        for number, language in enumerate(GOLDEN_LANGUAGES)
    ]


def golden(reader: TorchReader) -> list[dict[str, Any]]:
    """What the reader says to the pairs."""
    text = shipped_dispatch().text
    rows = []
    for question, span in pairs():
        (reading,) = reader.read(question, [span.of(text)])
        words = reading.found[0].span.of(span.of(text)) if reading.found else ""
        told = {"start": span.start, "end": span.end, "words": words, "here": round(reading.here, 2)}
        rows.append({"question": question, **told})
    return rows


def write(checkpoint: Path, folder: Path, provenance: dict[str, Any]) -> None:
    """Write weights and card into the package."""
    small = shrink(checkpoint, folder)
    reader = TorchReader(folder, laid_over(load_file(folder / "model.safetensors"), save(small)))
    with reader.watched(tamed_maps(folder)) as peaks:
        readings = golden(reader)
    data = save(small | {f"{name}/peak": peak for name, peak in peaks.items()})
    (PACKAGE / FILE).write_bytes(data)
    card = {
        "base": FINGERPRINT,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "rank": RANK,
        **provenance,
        "golden": readings,
    }
    (PACKAGE / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
