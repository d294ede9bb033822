"""The reader of the default model by onnxruntime: prepared once beside the model, checked, and run without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from dispatch_qa.embed.onnx_lane import LANE, TOKENS, cores, quiet_session, tokenizer
from dispatch_qa.embed.quick_tokens import QuickTokens
from dispatch_qa.models import Progress, prepared_folder
from dispatch_qa.reader.protocol import Reading
from dispatch_qa.reader.spans import best_spans
from dispatch_qa.reader.weights import card, laid_over, peaks, shipped
from dispatch_qa.readers import shipped_dispatch

GRAPH = "reader.onnx"
BEGIN, END = 0, 2  # <s>, </s>
ROOM = 512  # tokens of a pair: the encoder's positions
QUESTION_ROOM = 64  # tokens of a question, as in training
QUICK_CHARS = 12_000
"""Characters that are tokenised without the library: more work repays loading it."""
LEAST_AGREEMENT = 0.9
"""Share of the golden readings that the graph must give on this machine, else it stays off."""

Pieces = tuple[tuple[int, ...], tuple[tuple[int, int], ...]]
"""A text's ids and where each stands in it, in characters."""


def prepare_reader(folder: Path, name: str, progress: Progress = lambda line: None) -> Path | None:
    """The folder of the reader called `name` beside a prepared model, made once; `None` where it disagrees here.

    Raises:
        ModelError: it cannot be written.
    """

    def write(work: Path) -> None:
        from safetensors.numpy import load_file

        from dispatch_qa.embed.onnx_graph import write_reader_graph

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        data = shipped()
        weights = laid_over(load_file(folder / "model.safetensors"), data)
        write_reader_graph(config, weights, work / GRAPH, peaks(data))
        agreement = golden_agreement(OnnxReader(folder, work))
        (work / "agreement.json").write_text(json.dumps({"golden": agreement}) + "\n", encoding="utf-8")

    made = prepared_folder(folder / name, write, progress, "Preparing the reader (once) …")
    agreement = json.loads((made / "agreement.json").read_text(encoding="utf-8"))["golden"]
    if agreement < LEAST_AGREEMENT:
        progress(f"The reader is off: on this machine it gives {agreement:.0%} of its golden readings only")
        return None
    return made


def golden_agreement(reader: OnnxReader) -> float:
    """The share of the card's golden readings that the reader gives: the same words first, the same side of 0."""
    golden, text = card()["golden"], shipped_dispatch().text
    same = 0
    for row in golden:
        passage = text[row["start"] : row["end"]]
        (reading,) = reader.read(row["question"], [passage])
        words = reading.found[0].span.of(passage) if reading.found else ""
        same += (words == row["words"] or reading.here < 0) and (reading.here > 0) == (row["here"] > 0)
    return same / len(golden)


class OnnxReader:
    """The shipped reader as an ONNX graph: one pair a run, so that a reading does not depend on its company.

    Args:
        folder: the prepared model, with its fast lane.
        place: the folder of the reader's graph.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self.name = place.name
        self._folder = folder
        self._session = quiet_session(place / GRAPH)
        self._quick, self._quick_chars = QuickTokens(folder / LANE.replace("/", "-") / TOKENS), QUICK_CHARS
        self._pieces = lru_cache(4096)(self._pieces_of)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        asked = self._pieces(question)[0][:QUESTION_ROOM]
        pieces = [self._pieces(passage) for passage in passages]
        if len(passages) < 2:
            return [self._reading(asked, *pair) for pair in zip(passages, pieces, strict=True)]
        with ThreadPoolExecutor(min(cores(), len(passages))) as pool:
            return list(pool.map(lambda pair: self._reading(asked, *pair), zip(passages, pieces, strict=True)))

    def _reading(self, asked: tuple[int, ...], passage: str, pieces: Pieces) -> Reading:
        import numpy as np

        room = ROOM - len(asked) - 3
        ids, places = pieces[0][:room], pieces[1][:room]
        before = len(asked) + 2
        pair = np.array([[BEGIN, *asked, END, *ids, END]], np.int64)
        kinds = (np.arange(pair.shape[1]) >= before).astype(np.int64)[None]
        spans, here = self._session.run(["spans", "here"], {"input_ids": pair, "token_type_ids": kinds})
        return Reading(float(here[0, 0]), best_spans(passage, places, spans[0, before : before + len(ids)]))

    def _pieces_of(self, text: str) -> Pieces:
        """The pieces of a text, by the library where that is loaded, the text is not plain or there is much."""
        self._quick_chars -= len(text)
        if self._quick_chars >= 0 and (quick := self._quick.pieces(text)) is not None:
            return tuple(number for number, _, _ in quick), tuple((start, end) for _, start, end in quick)
        encoded = tokenizer(self._folder).encode(text, add_special_tokens=False)
        return tuple(encoded.ids), tuple(encoded.offsets)
