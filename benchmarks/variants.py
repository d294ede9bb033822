"""The encoder's variants whose speed and recall `frontier.py` measures: torch as it comes, and other ONNX graphs.

ONNX variants differ from the shipped lane in the graph alone: tokens, word table, pooling, one text a run are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dispatch_qa.embed.onnx_graph import BLOCK, MICROSOFT, _Graph
from dispatch_qa.embed.onnx_lane import GRAPH, LANE, TOKENS, OnnxEmbedder, prepare_lane
from dispatch_qa.embed.protocol import unit_rows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

BASELINE = "sentence-transformers fp32"
REFERENCE = "ONNX fp32"
SHIPPED = "ONNX int8, tamed columns (shipped)"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of computing the vectors, and the bytes of its weights on disk."""

    passages: Embed
    queries: Embed
    size: int


def load_variants(folder: Path, work: Path, tokenizer: Tokenizer, say: Callable[[str], None]) -> dict[str, Variant]:
    """All variants of the model in `folder`, loaded; graphs that are not shipped are written under `work`."""
    import torch

    shipped = folder / LANE.replace("/", "-")
    if not prepare_lane(folder, say):
        say("On this machine the shipped lane is off: what is called shipped is not what is used.")
    loaded = {BASELINE: _torch(folder, torch.float32), "sentence-transformers bf16": _torch(folder, torch.bfloat16)}
    for number, (name, graph) in enumerate(GRAPHS.items()):
        lane = work / str(number)
        lane.mkdir()
        (lane / TOKENS).symlink_to(shipped / TOKENS)
        _write(folder, lane / GRAPH, graph)
        loaded[name] = _onnx(folder, lane, tokenizer)
    return loaded | {SHIPPED: _onnx(folder, shipped, tokenizer)}


def _torch(folder: Path, dtype: Any) -> Variant:
    """sentence-transformers itself, without the length check of our torch lane: the baseline has nothing to carry."""
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = SentenceTransformer(str(folder), local_files_only=True, device="cpu").to(dtype)
    dim = int(model.get_embedding_dimension() or 0)

    def passages(texts: Sequence[str]) -> Floats:
        return unit_rows(model.encode_document(list(texts), batch_size=32, show_progress_bar=False), dim)

    def queries(texts: Sequence[str]) -> Floats:
        return unit_rows(model.encode_query(list(texts), batch_size=32, show_progress_bar=False), dim)

    # What the weights would take if saved in this type: the folder holds float32 whatever is loaded.
    return Variant(passages, queries, sum(p.numel() * p.element_size() for p in model.parameters()))


def _onnx(folder: Path, lane: Path, tokenizer: Tokenizer) -> Variant:
    embedder = _Runner(folder, lane, tokenizer)
    size = sum((lane / name).stat().st_size for name in (GRAPH, Path(GRAPH).with_suffix(".bin").name))
    return Variant(embedder.passages, embedder.queries, size)


class _Runner(OnnxEmbedder):
    """The shipped lane's runner on another graph; one tokenizer for all runners, as each takes 250 MB."""

    def __init__(self, folder: Path, lane: Path, tokenizer: Tokenizer) -> None:
        super().__init__(folder, lane)
        self._tokenizer = tokenizer
        self._quick_texts = 0  # the tokenizer is loaded: what saves loading it would only take time


def _write(source: Path, file: Path, graph: type[_Graph]) -> None:
    """What `dispatch_qa.embed.onnx_graph.write_graph` does, with another builder."""
    import json

    import onnx
    from safetensors.numpy import load_file

    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    model = graph(load_file(source / "model.safetensors"), {}).encoder(config)
    onnx.save_model(model, file, save_as_external_data=True, location=f"{file.stem}.bin", size_threshold=1024)


class _Fp32(_Graph):
    """Matrices in float32. The word table stays in 4-bit blocks, which hold it exactly."""

    def _shared_scale(self, x: str, names: list[str]) -> list[str]:
        return [self._map(x, name) for name in names]

    def _after_gelu(self, x: str, name: str) -> str:
        return self._map(x, name)

    def _map(self, x: str, name: str) -> str:
        """An affine map of x."""
        y = self._op("MatMul", x, self._constant(name + ".weight", self._weights[name + ".weight"].T))
        return str(self._op("Add", y, self._constant(name + ".bias", self._weights[name + ".bias"])))


class _FourBit(_Fp32):
    """Matrices in the 4-bit blocks in which they come, which hold them exactly; x rounded to int8 in blocks too."""

    def _map(self, x: str, name: str) -> str:
        weight = self._weights[name + ".weight"]
        outputs, inputs = weight.shape
        blocks = weight.reshape(outputs, -1, BLOCK)
        extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
        scales = extreme / np.float32(-8)  # Q4_0: the largest weight of a block is -8 steps
        steps = np.rint(np.divide(blocks, scales, out=np.zeros_like(blocks), where=scales != 0))
        nibbles = (steps + 8).clip(0, 15).astype(np.uint8)
        return str(
            self._op(
                "MatMulNBits",
                x,
                self._constant(name + ".int4", nibbles[..., ::2] | nibbles[..., 1::2] << 4),
                self._constant(name + ".scales", scales.reshape(-1)),
                "",
                "",
                self._constant(name + ".bias", self._weights[name + ".bias"]),
                domain=MICROSOFT,
                K=inputs,
                N=outputs,
                bits=4,
                block_size=BLOCK,
                accuracy_level=4,
            )
        )


class _Plain(_Graph):
    """Dynamic int8 as tools write it: one scale for all of x, after GELU too; of weights one for each output."""

    def _after_gelu(self, x: str, name: str) -> str:
        (y,) = self._shared_scale(x, [name])
        return y


GRAPHS: dict[str, type[_Graph]] = {
    REFERENCE: _Fp32,
    "ONNX 4-bit": _FourBit,
    "ONNX int8, plain": _Plain,
    "ONNX int8, scale a token": _Graph,
}
