"""The least that can answer: onnxruntime, tokenizers and faiss, nothing else. What is left to gain shows against it.

`prepare MODEL INDEX TEXTS`, `ask MODEL INDEX QUESTION`; MODEL is a folder with model.onnx and tokenizer.json.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from benchmarks.common import read_json, tell


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    {"prepare": prepare, "ask": ask}[command](*rest)


def prepare(model: str, index: str, texts: str) -> None:
    """Embed the texts of a JSON file and save an exact index beside them."""
    passages = read_json(texts)
    vectors = _encode(model, [f"passage: {text}" for text in passages])
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    folder = Path(index)
    folder.mkdir(parents=True, exist_ok=True)
    faiss.write_index(flat, str(folder / "index.faiss"))
    (folder / "texts.json").write_text(json.dumps(passages), encoding="utf-8")


def ask(model: str, index: str, question: str) -> None:
    """Load all and answer one question."""
    flat = faiss.read_index(str(Path(index) / "index.faiss"))
    passages = read_json(Path(index) / "texts.json")
    _, found = flat.search(_encode(model, [f"query: {question}"]), 3)
    tell({"text": passages[found[0][0]]})


def _encode(folder: str, texts: list[str]) -> Any:
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    session = onnxruntime.InferenceSession(str(Path(folder) / "model.onnx"), providers=["CPUExecutionProvider"])
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106
    tokenizer.enable_truncation(512)
    encoded = tokenizer.encode_batch(texts)
    ids = np.array([one.ids for one in encoded], np.int64)
    mask = np.array([one.attention_mask for one in encoded], np.int64)
    return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


if __name__ == "__main__":
    main()
