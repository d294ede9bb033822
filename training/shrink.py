"""Trained weights to the small file that ships, and its card with golden readings.

A matrix's difference from the encoder's is kept as two factors, row by row in order of singular values. `BYTES` go
where they keep the most of all differences together: the upper layers changed in few directions, the middle ones in
many. The golden readings are torch's, in float32, with these very weights.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model import TorchReader
from safetensors.numpy import load_file, save

from dispatch_qa.embed.onnx_graph import tamed_maps
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader.weights import CARD, FILE, in_four_bits, laid_over
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.records import Span
from dispatch_qa.split import paragraphs

BYTES = 3_930_000  # of factors and their scales
SCALE = 4  # bytes
LOST = {8: 0.0002, 4: 0.025}  # of a row's energy, the share lost in rounding it in both factors, about
CLIPPED = (1, 0.9, 0.8, 0.7, 0.6)  # of a row's largest number, what the largest step stands for
ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "dispatch_qa"
GOLDEN_LANGUAGES = ("en", "fr", "uk", "zh")


def shrink(checkpoint: Path, folder: Path) -> dict[str, Any]:
    """The small file's tensors, from a checkpoint of `train.py` and the folder of the default model."""
    base = load_file(folder / "model.safetensors")
    small: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    for name, value in torch.load(checkpoint, weights_only=True)["model"].items():
        # The encoder's own layers are called "encoder." too: only the module's name in front of them goes.
        stem, array = name.removeprefix("encoder."), value.float().numpy()
        difference = array - base[stem] if stem in base else array
        if stem in base and array.ndim == 2:
            differences[stem] = difference
        else:
            small[stem + "/vector"] = difference.astype(np.float16)
    cut = {stem: np.linalg.svd(difference, full_matrices=False)[1:] for stem, difference in differences.items()}
    widths = {stem: sum(difference.shape) for stem, difference in differences.items()}
    for stem, counts in _rows({stem: values**2 for stem, (values, _) in cut.items()}, widths).items():
        small |= {f"{stem}/{kind}": rows for kind, rows in _factors(differences[stem], cut[stem][1], counts).items()}
    return small


def _rows(energies: dict[str, Any], widths: dict[str, int]) -> dict[str, dict[int, int]]:
    """How many rows of each matrix's factors are kept in 8 and in 4 bits: those worth most for their bytes.

    Args:
        energies: the squared singular values of each matrix, falling.
        widths: how many numbers a row has in both factors.
    """
    steps = [
        (float(energy) * kept / cost, cost, stem, bits)
        for stem, some in energies.items()
        for bits, kept, cost in (
            (4, 1 - LOST[4], widths[stem] / 2 + SCALE),
            (8, LOST[4] - LOST[8], widths[stem] / 2),  # over what 4 bits keep and cost
        )
        for energy in some
    ]
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    room = float(BYTES)
    for _, cost, stem, bits in sorted(steps, reverse=True):
        room -= cost
        if room < 0:
            break
        counts[stem][bits] += 1
    return {stem: {8: count[8], 4: count[4] - count[8]} for stem, count in counts.items()}


def _factors(difference: Any, right: Any, counts: dict[int, int]) -> dict[str, Any]:
    """Both factors of a matrix, and the scale of each row.

    Args:
        right: its right singular vectors (rank, inputs), rounded first.
        counts: how many of them in so many bits, from the first on.
    """
    ends = np.cumsum(list(counts.values()))
    parts = dict(zip(counts, np.split(right[: ends[-1]], ends[:-1]), strict=True))
    rounded = {bits: _rounded(rows, bits) for bits, rows in parts.items()}
    # What the rounded right factor cannot say the left one makes up for, as far as it can: least squares.
    whole = np.concatenate([steps * scale[:, None] for steps, scale in rounded.values()])
    left = np.linalg.solve(whole @ whole.T, whole @ difference.T)
    found: dict[str, Any] = {}
    for bits, rows in zip(counts, np.split(left, ends[:-1]), strict=True):
        if len(rows):
            steps, scale = _rounded(rows, bits)
            for side, factor in (("left", steps), ("right", rounded[bits][0])):
                found[f"{side}{bits}"] = in_four_bits(factor) if bits == 4 else factor
            found[f"scale{bits}"] = (scale * rounded[bits][1]).astype(np.float32)
    return found


def _rounded(rows: Any, bits: int) -> tuple[Any, Any]:
    """Rows as whole numbers, and the scale of each, of a few the one that loses least."""
    most = 2 ** (bits - 1) - 1
    found: Any = np.zeros(rows.shape, np.int8)
    scale, least = np.ones(len(rows), np.float32), np.full(len(rows), np.inf)
    for share in CLIPPED:
        tried = np.abs(rows).max(1) * share / most
        steps = np.clip(np.rint(rows / tried[:, None]), -most, most)
        error = ((steps * tried[:, None] - rows) ** 2).sum(1)
        better = error < least
        found[better], scale[better], least[better] = steps[better], tried[better], error[better]
    return found, scale


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
        **provenance,
        "golden": readings,
    }
    (PACKAGE / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
