"""The plain script: sentence-transformers and faiss, as their own first examples use them.

`prepare MODEL INDEX TEXTS`, `ask MODEL INDEX QUESTION`, `serve-queries MODEL INDEX`, `serve-encode MODEL`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sentence_transformers import SentenceTransformer

from benchmarks.common import read_json, serve, tell


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "prepare": prepare,
        "ask": ask,
        "serve-queries": serve_queries,
        "serve-encode": serve_encode,
    }
    commands[command](*rest)


def prepare(model: str, index: str, texts: str) -> None:
    """Embed the texts of a JSON file and save an exact index beside them."""
    passages = read_json(texts)
    vectors = SentenceTransformer(model).encode_document(passages, show_progress_bar=False)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    folder = Path(index)
    folder.mkdir(parents=True, exist_ok=True)
    faiss.write_index(flat, str(folder / "index.faiss"))
    (folder / "texts.json").write_text(json.dumps(passages), encoding="utf-8")


def ask(model: str, index: str, question: str) -> None:
    """Load all and answer one question."""
    flat, passages = _opened(index)
    tell({"text": _best(SentenceTransformer(model), flat, passages, question)})


def serve_queries(model: str, index: str) -> None:
    """Answer lists of questions with the milliseconds that each took."""
    loaded = SentenceTransformer(model)
    flat, passages = _opened(index)

    def answer(questions: list[str]) -> list[float]:
        took = []
        for question in questions:
            start = time.perf_counter()
            _best(loaded, flat, passages, question)
            took.append((time.perf_counter() - start) * 1000)
        return took

    serve(answer)


def serve_encode(model: str) -> None:
    """Embed files of texts with the library's defaults (fp32, batches of 32); tell the seconds that it took."""
    loaded = SentenceTransformer(model)

    def encode(request: dict[str, str]) -> float:
        texts = read_json(request["texts"])
        start = time.perf_counter()
        vectors = loaded.encode_document(texts, show_progress_bar=False)
        took = time.perf_counter() - start
        np.save(request["save"], vectors)
        return took

    serve(encode)


def _opened(index: str) -> tuple[Any, list[str]]:
    folder = Path(index)
    return faiss.read_index(str(folder / "index.faiss")), read_json(folder / "texts.json")


def _best(model: SentenceTransformer, flat: Any, passages: list[str], question: str) -> str:
    vector = model.encode_query([question], show_progress_bar=False)
    _, found = flat.search(vector, min(3, len(passages)))
    return passages[int(found[0][0])]


if __name__ == "__main__":
    main()
