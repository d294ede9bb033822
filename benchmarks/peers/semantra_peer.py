"""Semantra without its web server: its own `process`, then what its handler of /api/queryann does.

`prepare MODEL INDEX TEXT`, `ask MODEL INDEX QUESTION`. Semantra reads text files and cuts them into windows of
128 tokens by itself, so it gets the dispatch as a file and answers with a window in place of a passage. The
prefixes of the model go in as the tokens that it can put before documents and queries.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from semantra.models import TransformerModel
from semantra.semantra import TRANSFORMER_POOL_DEFAULT, join_text_chunks, process

from benchmarks.common import tell


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    {"prepare": prepare, "ask": ask}[command](*rest)


def prepare(model: str, index: str, text: str) -> None:
    """Process a text file; what comes of it is kept in semantra's folder."""
    Path(index).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(text, Path(index) / "dispatch.txt")
    _processed(_model(model), index)


def ask(model: str, index: str, question: str) -> None:
    """Load all and answer one question."""
    loaded = _model(model)
    document = _processed(loaded, index)
    vector = loaded.embed_queries_and_preferences([{"query": question, "weight": 1}], [], {})
    found, _ = document.embedding_db.get_nns_by_vector(vector, 10, -1, True)
    start, end = document.offsets[0][found[0]]
    tell({"text": join_text_chunks(document.text_chunks[start:end])})


def _model(folder: str) -> Any:
    return TransformerModel(folder, doc_token_pre="passage: ", query_token_pre="query: ")  # noqa: S106


def _processed(model: Any, index: str) -> Any:
    """The document with the defaults of semantra's command line; read from its folder where it was done before."""
    return process(
        filename=str(Path(index) / "dispatch.txt"),
        semantra_dir=index,
        model=model,
        num_dimensions=model.get_num_dimensions(),
        use_annoy=True,
        num_annoy_trees=100,
        windows=[(128, 0, 16)],
        cost_per_token=None,
        pool_count=None,
        pool_size=TRANSFORMER_POOL_DEFAULT,
        force=False,
        silent=True,
        no_confirm=True,
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
