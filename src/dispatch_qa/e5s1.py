"""The `E5S1` file in which the default model's weights come: a header, a vocabulary, 4-bit and float32 tensors."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch_qa.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Q4_BLOCK = 32
Q4_BLOCK_BYTES = 18


@dataclass(frozen=True, slots=True)
class E5Header:
    """The sizes that an `E5S1` file declares, and where its table of tensors begins."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    tensors_at: int

    @classmethod
    def parse(cls, data: bytes) -> E5Header:
        """Read the head of an `E5S1` file (little endian); `ModelError` where it is something else."""
        if data[:4] != b"E5S1":
            raise ModelError(f"the default model's weights begin with {data[:4]!r}, expected b'E5S1'")
        at = 8  # magic, u32 version
        sizes = struct.unpack_from("<7i", data, at)
        at += 28
        epsilon, block = struct.unpack_from("<fi", data, at)
        at += 8
        if block != Q4_BLOCK:
            raise ModelError(f"the default model's weights come in blocks of {block}, expected {Q4_BLOCK}")
        pieces, bos, eos, pad, unk = struct.unpack_from("<5i", data, at)
        at += 20
        (blob,) = struct.unpack_from("<Q", data, at)
        # The file's own vocabulary is skipped: the tokenizer file holds the same pieces and its rules.
        at += 8 + 4 * (pieces + 1) + 4 * pieces + blob
        _, normalizer = struct.unpack_from("<iI", data, at)
        at += 8 + normalizer
        hidden, layers, heads, intermediate, vocabulary, positions, types = sizes
        return cls(
            hidden,
            layers,
            heads,
            intermediate,
            vocabulary,
            positions,
            types,
            round(epsilon, 15),
            bos,
            eos,
            pad,
            unk,
            at,
        )


def tensors(data: bytes, header: E5Header) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Every tensor of the file as (name, flat float32 array), in the file's order."""
    import numpy as np

    at = header.tensors_at
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        quantised, elements, offset, size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        raw = data[offset : offset + size]
        yield name, dequantise_q4(raw) if quantised else np.frombuffer(raw, "<f4", elements)


def dequantise_q4(raw: bytes) -> npt.NDArray[np.float32]:
    """Q4_0 blocks to flat float32 weights.

    A block is 32 weights in 18 bytes: one fp16 scale, then 16 bytes whose byte j holds weight j in the
    low nibble and weight j + 16 in the high one. A weight is (nibble - 8) * scale (ggml's Q4_0).
    """
    import numpy as np

    blocks = np.frombuffer(raw, np.uint8).reshape(-1, Q4_BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    nibbles = np.concatenate((packed & 15, packed >> 4), axis=1).astype(np.float32)
    return ((nibbles - 8) * scales).reshape(-1)
