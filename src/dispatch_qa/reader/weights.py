"""The reader's weights as they ship: what it has learned, laid over the default model's, small.

`reader.safetensors` holds, for each changed matrix, two factors of its difference from the encoder's: the rows that
matter most in 8 bits, others in 4, with a float scale for each row of both. Changed vectors and the heads are float16.
With them come the peaks of what enters some matrices, for quantising them. `training/shrink.py` writes it.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dispatch_qa.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Tensors = dict[str, npt.NDArray[np.float32]]

FILE = "data/reader.safetensors"
CARD = "data/reader.json"


def shipped() -> bytes:
    """The file of the weights. Raises `ModelError` where it is not the one that the card names."""
    data = files("dispatch_qa").joinpath(FILE).read_bytes()
    found, expected = hashlib.sha256(data).hexdigest(), card()["sha256"]
    if found != expected:
        raise ModelError(
            f"the reader's weights are not the expected file: SHA-256 {found[:12]}…, expected {expected[:12]}…; "
            "install dispatch-qa again, or type --no-reader"
        )
    return data


def name() -> str | None:
    """The reader's name, which changes with its weights; `None` where the package came without them."""
    return f"reader-{card()['sha256'][:12]}" if files("dispatch_qa").joinpath(CARD).is_file() else None


def card() -> dict[str, Any]:
    """What the weights are and what they must give: model fingerprint, SHA-256, golden readings."""
    told: dict[str, Any] = json.loads(files("dispatch_qa").joinpath(CARD).read_text(encoding="utf-8"))
    return told


def peaks(data: bytes) -> Tensors:
    """For the matrices named, the largest magnitude in each column of what enters, float32 (inputs,)."""
    from safetensors.numpy import load

    return {name.removesuffix("/peak"): array for name, array in load(data).items() if name.endswith("/peak")}


def laid_over(base: Tensors, data: bytes) -> Tensors:
    """The reader's tensors: the encoder's with the shipped differences, and the heads."""
    import numpy as np
    from safetensors.numpy import load

    small = load(data)
    merged = {name: np.asarray(array, np.float32) for name, array in base.items()}
    # In one order, as `load` has none: which part is added first shows in the last bit, and so in what is rounded then.
    for name, array in sorted(small.items()):
        stem, _, kind = name.rpartition("/")
        if kind.startswith("scale"):
            left, right = (_whole(small[f"{stem}/{side}{kind.removeprefix('scale')}"]) for side in ("left", "right"))
            merged[stem] = (merged[stem] + left.T @ (right * _in_steps(array)[:, None])).astype(np.float32)
        elif kind == "vector":
            merged[stem] = merged.get(stem, np.float32(0)) + array.astype(np.float32)
    return merged


def in_four_bits(rows: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Whole numbers from -8 to 7, two a byte: (rows, columns / 2), the first half of a row in the low bits."""
    import numpy as np

    low, high = np.split((rows + 8).astype(np.uint8), 2, axis=1)
    packed: npt.NDArray[np.uint8] = np.bitwise_or(low, high << 4, dtype=np.uint8)
    return packed


def _in_steps(scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Scales as whole multiples of one power of two, at most 2²⁴ of them.

    A sum of such multiples of whole numbers of 8 bits is exact in float64, in whatever order it is taken: else the
    reader would hang on how a machine sums.
    """
    import numpy as np

    step = np.ldexp(1.0, int(np.frexp(scale.max())[1]) - 24)
    whole: npt.NDArray[np.float64] = np.round(scale.astype(np.float64) / step) * step
    return whole


def _whole(rows: npt.NDArray[np.int8 | np.uint8]) -> npt.NDArray[np.float64]:
    """A factor's whole numbers, of 8 bits or as `in_four_bits` packs them."""
    import numpy as np

    if rows.dtype == np.int8:
        return rows.astype(np.float64)
    return np.concatenate([rows & 15, rows >> 4], axis=1).astype(np.float64) - 8
