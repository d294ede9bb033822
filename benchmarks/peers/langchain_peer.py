"""LangChain as its documentation uses it: `HuggingFaceEmbeddings` and its FAISS store, saved and loaded.

`prepare MODEL INDEX TEXTS`, `ask MODEL INDEX QUESTION`.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import sys
from typing import Any

from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings

from benchmarks.common import read_json, tell


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    {"prepare": prepare, "ask": ask}[command](*rest)


def prepare(model: str, index: str, texts: str) -> None:
    """Index the texts of a JSON file and save that."""
    FAISS.from_texts(read_json(texts), _embeddings(model)).save_local(index)


def ask(model: str, index: str, question: str) -> None:
    """Load all and answer one question."""
    store = FAISS.load_local(index, _embeddings(model), allow_dangerous_deserialization=True)
    tell({"text": store.similarity_search(question, k=3)[0].page_content})


def _embeddings(model: str) -> Any:
    return HuggingFaceEmbeddings(
        model_name=model,
        encode_kwargs={"prompt_name": "document"},
        query_encode_kwargs={"prompt_name": "query"},
    )


if __name__ == "__main__":
    main()
