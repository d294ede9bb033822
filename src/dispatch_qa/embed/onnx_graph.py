"""The default model's encoder as an ONNX graph, written without torch: with mean pooling, or as a reader.

Matrices are int8 with a scale for each output (about four times as fast as float32), the word table stays in the
4-bit blocks in which it came, and all of it is external data that onnxruntime maps from the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

Floats = npt.NDArray[np.float32]

MICROSOFT = "com.microsoft"
BLOCK = 32  # weights that share a scale in the word table
GELU_MIN = 0.17  # GELU is never below -0.16998
GELU_ZERO = 16  # the byte that means 0 in a quantised GELU output


def write_graph(source: Path, file: Path, peaks: dict[str, Floats]) -> None:
    """Write the graph to `file`, and its data beside it, from the weights of a prepared model's folder.

    Args:
        peaks: for the matrices named in it, the largest magnitude in each column of what enters, float32 (inputs,).
    """
    from safetensors.numpy import load_file

    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    _save(_Graph(load_file(source / "model.safetensors"), peaks).encoder(config), file)


def write_reader_graph(config: dict[str, Any], weights: dict[str, Any], file: Path, peaks: dict[str, Floats]) -> None:
    """Write the graph of a reader to `file`: the encoder over a question and a passage, and two heads.

    Args:
        config: the encoder's.
        weights: the encoder's tensors, as the reader has them, and the heads' `span` and `here`.
        peaks: as for `write_graph`.
    """
    _save(_Graph(weights, peaks).reader(config), file)


def _save(model: onnx.ModelProto, file: Path) -> None:
    import onnx

    onnx.save_model(model, file, save_as_external_data=True, location=f"{file.stem}.bin", size_threshold=1024)


def tamed_maps(source: Path) -> list[str]:
    """The linear maps, in front of which columns stand out: the first of each that share what enters them."""
    layers = json.loads((source / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"]
    kinds = ("attention.self.query", "intermediate.dense")
    return [f"encoder.layer.{layer}.{kind}" for layer in range(layers) for kind in kinds]


class _Graph:
    """Builds an ONNX graph for one text a run."""

    def __init__(self, weights: dict[str, Any], peaks: dict[str, Floats]) -> None:
        self._peaks = peaks
        self._weights = {name: np.asarray(array, np.float32) for name, array in weights.items()}
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def encoder(self, config: dict[str, Any]) -> onnx.ModelProto:
        """The whole model: `input_ids` (1, length) to `embedding` (1, hidden)."""
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        mean = self._op("ReduceMean", self._states(config, kind), self._ints(1), keepdims=0)
        self._name(self._op("LpNormalization", mean, axis=-1, p=2), "embedding")
        return self._model(["input_ids"], {"embedding": [1, config["hidden_size"]]})

    def reader(self, config: dict[str, Any]) -> onnx.ModelProto:
        """`input_ids` and `token_type_ids` (1, length) to `spans` (1, length, 2) and `here` (1, 1)."""
        states = self._states(config, None)
        first = self._op("Squeeze", self._op("Gather", states, self._ints(0), axis=1), self._ints(1))
        for x, head, output in ((states, "span", "spans"), (first, "here", "here")):
            product = self._op("MatMul", x, self._constant(head + ".weight", self._weights[head + ".weight"].T))
            bias = self._constant(head + ".bias", self._weights[head + ".bias"])
            self._name(self._op("Add", product, bias), output)
        return self._model(["input_ids", "token_type_ids"], {"spans": [1, "length", 2], "here": [1, 1]})

    def _states(self, config: dict[str, Any], kind: Floats | None) -> str:
        """The last layer's states (1, length, hidden); `kind` is every token's, `None` if each has its own."""
        epsilon = config["layer_norm_eps"]
        positions = self._weights["embeddings.position_embeddings.weight"]
        length = self._op("Shape", "input_ids", start=1, end=2)
        table = self._constant("positions", positions if kind is None else positions + kind)
        x = self._op("Add", self._words("input_ids"), self._op("Slice", table, self._ints(0), length, self._ints(0)))
        if kind is None:
            kinds = self._constant("kinds", self._weights["embeddings.token_type_embeddings.weight"])
            x = self._op("Add", x, self._op("Gather", kinds, "token_type_ids"))
        x = self._norm(x, "embeddings.LayerNorm", epsilon)
        for layer in range(config["num_hidden_layers"]):
            at = f"encoder.layer.{layer}."
            own = at + "attention.self."
            qkv = self._shared_scale(x, [own + "query", own + "key", own + "value"])
            y = self._op("MultiHeadAttention", *qkv, domain=MICROSOFT, num_heads=config["num_attention_heads"])
            (y,) = self._shared_scale(y, [at + "attention.output.dense"])
            x = self._norm(self._op("Add", y, x), at + "attention.output.LayerNorm", epsilon)
            (y,) = self._shared_scale(x, [at + "intermediate.dense"])
            y = self._after_gelu(self._op("Gelu", y, domain=MICROSOFT), at + "output.dense")
            x = self._norm(self._op("Add", y, x), at + "output.LayerNorm", epsilon)
        return x

    def _model(self, inputs: list[str], outputs: dict[str, list[str | int]]) -> onnx.ModelProto:
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info(name, TensorProto.INT64, [1, "length"]) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self._constants.values()),
        )
        versions = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=10)

    def _name(self, x: str, output: str) -> None:
        """Let the value `x` be an output of that name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [x], [output]))

    def _op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        from onnx import helper

        names = [f"n{len(self._nodes)}.{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def _constant(self, name: str, array: Any) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def _float(self, value: float) -> str:
        return self._constant(f"float {value}", np.array(value, np.float32))

    def _byte(self, value: int) -> str:
        return self._constant(f"byte {value}", np.array(value, np.uint8))

    def _ints(self, value: int) -> str:
        return self._constant(f"ints {value}", np.array([value], np.int64))

    def _norm(self, x: str, name: str, epsilon: float) -> str:
        # Not SkipLayerNormalization: its kernel is not vectorised and takes three times as long as these two.
        gamma, beta = (self._constant(f"{name}.{k}", self._weights[f"{name}.{k}"]) for k in ("weight", "bias"))
        return str(self._op("LayerNormalization", x, gamma, beta, axis=-1, epsilon=epsilon))

    def _words(self, ids: str) -> str:
        """Looked-up word vectors: 4-bit blocks where they hold the table exactly, else float16."""
        from onnx import TensorProto

        table = self._weights["embeddings.word_embeddings.weight"]
        blocks = table.reshape(len(table), -1, BLOCK)
        extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
        scales = extreme / np.float32(-8)  # Q4_0: the largest weight of a block is -8 steps
        nibbles = np.rint(np.divide(blocks, scales, out=np.zeros_like(blocks), where=scales != 0))
        if not np.array_equal(nibbles * scales, blocks):
            half = self._op("Gather", self._constant("words", table.astype(np.float16)), ids)
            return str(self._op("Cast", half, to=TensorProto.FLOAT))
        # Not GatherBlockQuantized: it takes ten times as long. A byte holds a weight of either half of the vector.
        first, second = np.split((nibbles.astype(np.int8) + 8).astype(np.uint8).reshape(len(table), -1), 2, axis=1)
        both = self._op("Gather", self._constant("words", first | second << 4), ids)
        first = self._op("BitwiseAnd", both, self._byte(15))
        second = self._op("BitShift", both, self._byte(4), direction="RIGHT")
        steps = self._op("Concat", first, second, axis=-1)
        steps = self._op("DequantizeLinear", steps, self._float(1), self._byte(8))
        steps = self._op("Reshape", steps, self._constant("blocks", np.array([0, 0, *blocks.shape[1:]])))
        scale = self._op("Gather", self._constant("words.scales", scales), ids)
        words = self._op("Mul", steps, scale)
        return str(self._op("Reshape", words, self._constant("whole", np.array([0, 0, table.shape[1]]))))

    def _int8(self, name: str, columns: Floats | None = None) -> tuple[str, str]:
        """The matrix as int8 (input, output) and its scales, one for each output."""
        weight = self._weights[name + ".weight"] * (1 if columns is None else columns)
        scales = np.maximum(np.abs(weight).max(1) / 127, 1e-12).astype(np.float32)
        rounded = np.rint(weight / scales[:, None]).astype(np.int8).T
        return self._constant(name + ".int8", rounded), self._constant(name + ".scales", scales)

    def _shared_scale(self, x: str, names: list[str]) -> list[str]:
        """Affine maps of x, one for each name, with one scale for all of x.

        Columns of x that stand out are scaled down, and the weights up for them, by half of what they stand out
        by: so neither side takes all of the rounding (SmoothQuant, Xiao et al. 2023, with alpha 0.5).
        """
        columns = None
        if (peak := self._peaks.get(names[0])) is not None:
            columns = np.sqrt(np.maximum(peak / np.median(peak), 1)).astype(np.float32)
            x = self._op("Mul", x, self._constant(names[0] + ".tame", 1 / columns))
        x, scale, zero = self._op("DynamicQuantizeLinear", x, outputs=3)
        results = []
        for name in names:
            matrix, scales = self._int8(name, columns)
            bias = self._constant(name + ".bias", self._weights[name + ".bias"])
            inputs = (x, matrix, scale, scales, zero, "", bias)
            results.append(self._op("MatMulIntegerToFloat", *inputs, domain=MICROSOFT))
        return results

    def _after_gelu(self, x: str, name: str) -> str:
        """An affine map of x with a scale for each token: here a few tokens are ten times as large as the rest."""
        peak = self._op("ReduceMax", x, self._constant("ints 0 2", np.array([0, 2])), keepdims=0)
        step = self._op("Mul", peak, self._float(1 / (255 - GELU_ZERO)))
        step = self._op("Clip", step, self._float(GELU_MIN / GELU_ZERO))
        zeros = self._op("Expand", self._byte(GELU_ZERO), self._op("Shape", step))
        x = self._op("QuantizeLinear", x, step, zeros, axis=1)
        matrix, scales = self._int8(name)
        x = self._op("MatMulIntegerToFloat", x, matrix, self._float(1), scales, self._byte(GELU_ZERO), domain=MICROSOFT)
        bias = self._constant(name + ".bias", self._weights[name + ".bias"])
        return str(self._op("Add", self._op("Mul", x, self._op("Unsqueeze", step, self._ints(-1))), bias))
