"""txtai as its documentation uses it: `Embeddings` with content, saved and loaded.

`prepare MODEL INDEX TEXTS`, `ask MODEL INDEX QUESTION`.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import sys

from txtai import Embeddings

from benchmarks.common import read_json, tell


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    {"prepare": prepare, "ask": ask}[command](*rest)


def prepare(model: str, index: str, texts: str) -> None:
    """Index the texts of a JSON file and save that; the saved index names the model's folder."""
    embeddings = Embeddings(path=model, content=True, instructions={"query": "query: ", "data": "passage: "})
    embeddings.index(read_json(texts))
    embeddings.save(index)


def ask(model: str, index: str, question: str) -> None:
    """Load all and answer one question."""
    del model
    embeddings = Embeddings()
    embeddings.load(index)
    tell({"text": embeddings.search(question, 3)[0]["text"]})


if __name__ == "__main__":
    main()
