"""The ONNX lane: the default model by onnxruntime and tokenizers, in int8, without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.embed.protocol import Embedder, checked_lengths, mean_of_parts
from dispatch_qa.models import FINGERPRINT, Progress, prepared_folder
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

LANE = "onnx-int8/3"
LEAST_AGREEMENT = 0.995
"""Cosine of the two lanes' vectors of one text, under which the ONNX lane is refused. Measured: 0.999."""

GRAPH, TOKENS = "model.onnx", "tokens.bin"

SPECIALS = 2  # <s> and </s>

QUICK_TEXTS, QUICK_CHARS = 64, 500
"""How many texts, of how many characters, are tokenised without the library: more work repays loading it."""


def prepare_lane(folder: Path, progress: Progress = lambda line: None) -> bool:
    """Make the ONNX lane beside a prepared model, once; whether it agrees with the torch lane on this machine.

    Raises:
        ModelError: the lane cannot be written.
    """

    def write(work: Path) -> None:
        from dispatch_qa.embed.onnx_graph import tamed_maps, write_graph
        from dispatch_qa.embed.quick_tokens import token_tables
        from dispatch_qa.embed.torch_lane import SentenceTransformerEmbedder

        slow = SentenceTransformerEmbedder(DEFAULT_MODEL, str(folder))
        texts = shipped_dispatch().text.split("\n\n")
        write_graph(folder, work / GRAPH, slow.column_peaks(texts, tamed_maps(folder)))
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        (work / TOKENS).write_bytes(token_tables(tokenizer))
        agreement = _agreement(OnnxEmbedder(folder, work), slow, texts)
        (work / "agreement.json").write_text(json.dumps({"least_cosine": agreement}) + "\n", encoding="utf-8")

    lane = prepared_folder(folder / LANE.replace("/", "-"), write, progress, "Preparing the model's fast lane (once) …")
    measured = json.loads((lane / "agreement.json").read_text(encoding="utf-8"))["least_cosine"]
    if measured < LEAST_AGREEMENT:
        progress(f"The fast lane is off: on this machine it agrees to {measured:.4f} only, {LEAST_AGREEMENT} is wanted")
    return bool(measured >= LEAST_AGREEMENT)


def _agreement(fast: Embedder, slow: Embedder, texts: Sequence[str]) -> float:
    """The least cosine, over texts as passages and as questions, of the two lanes' vectors."""
    pairs = [(fast.passages(texts), slow.passages(texts)), (fast.queries(texts), slow.queries(texts))]
    return min(float((a * b).sum(axis=1).min()) for a, b in pairs)


class OnnxEmbedder:
    """The default model as an ONNX graph: one text a run, so that its vector does not depend on its company.

    A run on each core scales better than one run on all cores, and no text is padded.

    Args:
        folder: the prepared model: its tokenizer, prompts and length.
        lane: the folder of the graph, by default the prepared lane.
    """

    def __init__(self, folder: Path, lane: Path | None = None) -> None:
        from dispatch_qa.embed.quick_tokens import QuickTokens

        self.name = DEFAULT_MODEL
        self.fingerprint = FINGERPRINT
        self.lane = LANE
        self._folder = folder
        lane = lane or folder / LANE.replace("/", "-")
        self._session = quiet_session(lane / GRAPH)
        self._quick, self._quick_texts = QuickTokens(lane / TOKENS), QUICK_TEXTS
        prompts = self._config("config_sentence_transformers.json")["prompts"]
        self._query_prompt, self._passage_prompt = prompts["query"], prompts["document"]
        self.dim = int(self._session.get_outputs()[0].shape[1])
        # One token more than the prompt's own, as in the torch lane.
        self.max_tokens = (
            self._config("sentence_bert_config.json")["max_seq_length"] - len(self._ids(self._passage_prompt)) - 1
        )

    def count_tokens(self, text: str) -> int:
        return len(self._ids(text)) - SPECIALS

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return mean_of_parts(texts, self, lambda parts: self._embed([self._query_prompt + part for part in parts]))

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        checked_lengths(texts, self)
        return self._embed([self._passage_prompt + text for text in texts])

    def _embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        import numpy as np

        def run(text: str) -> npt.NDArray[np.float32]:
            ids = np.array([self._ids(text)], np.int64)
            vector: npt.NDArray[np.float32] = self._session.run(["embedding"], {"input_ids": ids})[0]
            return vector

        if len(texts) == 1:  # a question is not worth a pool
            return run(texts[0])
        with ThreadPoolExecutor(cores()) as pool:
            return np.concatenate([np.empty((0, self.dim), np.float32), *pool.map(run, texts)])

    def _ids(self, text: str) -> list[int]:
        """The ids of a text with the special tokens around it."""
        if self._quick_texts and len(text) <= QUICK_CHARS:
            self._quick_texts -= 1
            if (quick := self._quick.ids(text)) is not None:
                return quick
        ids: list[int] = tokenizer(self._folder).encode(text).ids
        return ids

    def _config(self, name: str) -> Any:
        return json.loads((self._folder / name).read_text(encoding="utf-8"))


def quiet_session(graph: Path) -> InferenceSession:
    """A session of one thread for a graph of ours, that tells nobody of it."""
    # By default the library writes down what it is used for and sends it to its maker. It looks when it is imported;
    # where somebody else has imported it, the call ends it.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # The graph is written in fused operators: looking for more to fuse takes time and finds nothing.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


@cache
def tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a prepared model; loading it takes half a second and 250 MB, so it is kept."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
