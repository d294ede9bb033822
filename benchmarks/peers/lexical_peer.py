# mypy: disable-error-code="import-not-found,import-untyped"
"""Full-text engines by the same terms: `ENGINE FOLDER INPUT`, where ENGINE is fts5, bm25s or tantivy.

INPUT is a JSON file: `passages`, `more` and `queries`, each a list of texts whose words, with spaces between, are the
terms; `k`; and `stems`, the language by whose stemmer tantivy parts texts that were not cut into terms.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.common import read_json, tell


class Engine(Protocol):
    """An index of passages, in a folder."""

    def add(self, first: int, passages: Sequence[str]) -> None:
        """Index passages, whose ids count from `first`."""

    def search(self, query: str, k: int) -> list[int]:
        """The ids of the passages that hold any of a query's terms, the best by BM25 first."""


class Fts5:
    """SQLite's, as the store has it: the text is not kept twice."""

    def __init__(self, folder: Path, stems: str | None) -> None:
        self._db = sqlite3.connect(folder / "fts5.sqlite", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE VIRTUAL TABLE lexical USING fts5 (terms, content = '', tokenize = 'unicode61 remove_diacritics 0')"
        )

    def add(self, first: int, passages: Sequence[str]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO lexical (rowid, terms) VALUES (?, ?)", enumerate(passages, first))
        self._db.execute("COMMIT")

    def search(self, query: str, k: int) -> list[int]:
        asked = " OR ".join(f'"{term}"' for term in dict.fromkeys(query.split()))
        found = self._db.execute("SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rank LIMIT ?", (asked, k))
        return [row[0] for row in found]


class Bm25s:
    """A library that scores all passages beforehand; a passage more means all of them anew."""

    def __init__(self, folder: Path, stems: str | None) -> None:
        self._folder, self._passages = folder, list[str]()

    def add(self, first: int, passages: Sequence[str]) -> None:
        import bm25s

        self._passages += passages
        self._index = bm25s.BM25()
        self._index.index([passage.split() for passage in self._passages], show_progress=False)
        self._index.save(self._folder / "bm25s", show_progress=False)

    def search(self, query: str, k: int) -> list[int]:
        known = [term for term in dict.fromkeys(query.split()) if term in self._index.vocab_dict]
        if not known:
            return []
        found, scores = self._index.retrieve([known], k=min(k, len(self._passages)), show_progress=False)
        return [int(one) for one, score in zip(found[0], scores[0], strict=True) if score > 0]


class Tantivy:
    """A search engine in Rust, in segments on disk, as Lucene."""

    def __init__(self, folder: Path, stems: str | None) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("id", stored=True)
        schema.add_text_field("terms", tokenizer_name="stems" if stems else "whitespace")
        self._schema = schema.build()
        (folder / "tantivy").mkdir()
        self._index = tantivy.Index(self._schema, path=str(folder / "tantivy"))
        self._analyzer = tantivy.TextAnalyzerBuilder(
            tantivy.Tokenizer.simple() if stems else tantivy.Tokenizer.whitespace()
        )
        if stems:
            self._analyzer = self._analyzer.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.stemmer(stems))
        self._analyzer = self._analyzer.build()
        self._index.register_tokenizer("stems" if stems else "whitespace", self._analyzer)

    def add(self, first: int, passages: Sequence[str]) -> None:
        import tantivy

        writer = self._index.writer()
        for number, passage in enumerate(passages, first):
            document = tantivy.Document()
            document.add_unsigned("id", number)
            document.add_text("terms", passage)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, query: str, k: int) -> list[int]:
        import tantivy

        terms = dict.fromkeys(self._analyzer.analyze(query))
        asked = [(tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "terms", term)) for term in terms]
        found = self._searcher.search(tantivy.Query.boolean_query(asked), k).hits
        return [self._searcher.doc(address)["id"][0] for _, address in found]


ENGINES: dict[str, Any] = {"fts5": Fts5, "bm25s": Bm25s, "tantivy": Tantivy}


def main() -> None:
    """Index, ask, add, and tell what it took."""
    name, place, file = sys.argv[1:]
    given, folder = read_json(file), Path(place)
    engine: Engine = ENGINES[name](folder, given.get("stems"))
    start = time.perf_counter()
    engine.add(0, given["passages"])
    build = time.perf_counter() - start
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    engine.search(given["queries"][0], given["k"])
    took, found = [], []
    for query in given["queries"]:
        start = time.perf_counter()
        found.append(engine.search(query, given["k"]))
        took.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    if given["more"]:
        engine.add(len(given["passages"]), given["more"])
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1000
    told = {"build_s": build, "bytes": size, "p50_ms": statistics.median(took), "rss_mb": resident, "found": found}
    tell(told | {"add_s": time.perf_counter() - start})


if __name__ == "__main__":
    main()
