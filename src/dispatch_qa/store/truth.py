"""The truth: dispatches, spans and vectors in one SQLite file, written in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.errors import StoreDamaged, StoreForeign, StoreMissing, StoreOutdated, build_command
from dispatch_qa.lexical import terms
from dispatch_qa.records import Dispatch, Passage, Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

APPLICATION_ID = 0x44_51_41_31  # "DQA1", in the header of the file
FORMAT = 2

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

# What format 2 keeps of a dispatch: the fields up to `status`.
_FIELDS = [field.name for field in fields(Dispatch)][:13]

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dispatch ({", ".join(f"{name} TEXT" for name in _FIELDS)}, digest BLOB NOT NULL, PRIMARY KEY (id));
CREATE TABLE passage (
    id INTEGER PRIMARY KEY,
    dispatch_id TEXT NOT NULL REFERENCES dispatch (id),
    paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL,            -- code points into dispatch.text
    "end" INTEGER NOT NULL,
    sentences TEXT NOT NULL,           -- JSON [[start, end], …], code points into dispatch.text
    vector BLOB NOT NULL,              -- float32 (dim,), unit length, little endian
    sentence_vectors BLOB NOT NULL,    -- float16 (sentences, dim), little endian: half the size, same ranking
    digest BLOB NOT NULL               -- of the row: SQLite does not notice a flipped bit
);
CREATE INDEX passage_of_dispatch ON passage (dispatch_id);
-- Derived, but committed with what it is derived from: the terms of each passage, without its text.
CREATE VIRTUAL TABLE lexical USING fts5 (terms, content = '', tokenize = 'unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE lexical_term USING fts5vocab (lexical, row);
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store was made with.

    `lane` is how its vectors were computed. `generation` is a digest of its content, which derived files carry too.
    """

    model: str
    fingerprint: str
    lane: str
    dim: int
    splitting: int
    passage_tokens: int
    generation: str = ""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its text and vectors.

    `vector` is float32 (dim,), `sentence_vectors` float32 (sentences, dim); rows of unit length.
    """

    id: int
    passage: Passage
    text: str
    vector: npt.NDArray[np.float32]
    sentence_vectors: npt.NDArray[np.float32]


Embedded = tuple[Passage, "npt.NDArray[np.float32]", "npt.NDArray[np.float32]"]
"""A passage, its vector (dim,) and its sentences' vectors (sentences, dim)."""


def write(path: Path, manifest: Manifest, content: Iterable[tuple[Dispatch, list[Embedded]]]) -> None:
    """Write a new truth file at `path`, complete and on disk when this returns; `path` must not exist."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = EXTRA")
        db.execute("PRAGMA page_size = 8192")
        db.executescript("BEGIN IMMEDIATE;" + _SCHEMA)
        marks = ", ".join("?" * (len(_FIELDS) + 1))
        whole = hashlib.sha256(repr(manifest).encode())
        for dispatch, passages in content:
            values = [getattr(dispatch, name) for name in _FIELDS]
            rows = [_row(embedded) for embedded in passages]
            db.execute(f"INSERT INTO dispatch VALUES ({marks})", [*values, _digest(values)])
            first = db.execute("SELECT coalesce(max(id), 0) + 1 FROM passage").fetchone()[0]
            numbered = [(number, *row) for number, row in enumerate(rows, start=first)]
            db.executemany("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", numbered)
            words = [" ".join(terms(passage.span.of(dispatch.text))) for passage, _, _ in passages]
            db.executemany("INSERT INTO lexical (rowid, terms) VALUES (?, ?)", enumerate(words, start=first))
            whole.update(repr((values, rows)).encode())
        stamped = asdict(manifest) | {"generation": whole.hexdigest()[:32]}
        stamped["digest"] = _digest(sorted(stamped.items())).hex()
        db.executemany("INSERT INTO manifest VALUES (?, ?)", [(k, json.dumps(v)) for k, v in stamped.items()])
        db.execute("COMMIT")


def _digest(values: Sequence[object]) -> bytes:
    """A short digest of a row, to notice what changed behind the database's back."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _row(embedded: Embedded) -> tuple[object, ...]:
    passage, vector, sentence_vectors = embedded
    spans = json.dumps([(span.start, span.end) for span in passage.sentences])
    vectors = (vector.astype("<f4").tobytes(), sentence_vectors.astype("<f2").tobytes())
    values = (passage.dispatch_id, passage.paragraph, passage.span.start, passage.span.end, spans, *vectors)
    return (*values, _digest(values))


class Truth:
    """A truth file opened for reading. Safe to share between threads.

    Raises:
        StoreMissing, StoreForeign, StoreDamaged, StoreOutdated: each names the command that mends it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = path.parent
        if not path.is_file():
            raise StoreMissing(f"there is no store in {self._folder}; make one with: {build_command(self._folder)}")
        # A store's content never changes while it is open, and candidates come again and again.
        self._kept_passage = lru_cache(maxsize=4_096)(self._passage)
        self._db = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, check_same_thread=False)
        self._check_header()
        try:
            stored = {key: json.loads(value) for key, value in self._all("SELECT key, value FROM manifest")}
            digest = stored.pop("digest", None)
            self.manifest = Manifest(**stored)
        except (TypeError, ValueError) as error:
            raise self._damaged("its manifest makes no sense") from error
        if digest != _digest(sorted(stored.items())).hex():
            raise self._damaged("its manifest is not the one that was stored")

    def _check_header(self) -> None:
        with self.path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            raise self._damaged("it ends in its header")
        if not head.startswith(_MAGIC):
            raise StoreForeign(f"{self.path} is no database; name another folder with --index, or move the file away")
        application, version = (int(self._all(f"PRAGMA {name}")[0][0]) for name in ("application_id", "user_version"))
        if application != APPLICATION_ID:
            raise StoreForeign(
                f"{self.path} is a database of another program, not a Dispatch QA store; "
                "name another folder with --index"
            )
        if version != FORMAT:
            raise StoreOutdated(
                f"the store in {self._folder} has format {version}, this version reads {FORMAT}; "
                f"make it again with: {build_command(self._folder, force=True)}"
            )

    def close(self) -> None:
        self._db.close()

    def dispatch(self, dispatch_id: str) -> Dispatch | None:
        """The dispatch of that id, or `None`. Raises `StoreDamaged` where its text is not what was stored."""
        rows = self._all(f"SELECT {', '.join(_FIELDS)}, digest FROM dispatch WHERE id = ?", dispatch_id)
        return self._dispatch(rows[0]) if rows else None

    def dispatches(self) -> Iterator[Dispatch]:
        """All dispatches, by id."""
        for (dispatch_id,) in self._all("SELECT id FROM dispatch ORDER BY id"):
            if dispatch := self.dispatch(dispatch_id):
                yield dispatch

    def ids(self) -> list[str]:
        """The ids of all dispatches, in order."""
        return [row[0] for row in self._all("SELECT id FROM dispatch ORDER BY id")]

    def counts(self) -> tuple[int, int]:
        """How many dispatches and passages there are."""
        (counts,) = self._all("SELECT (SELECT count(*) FROM dispatch), (SELECT count(*) FROM passage)")
        return int(counts[0]), int(counts[1])

    def passages(self, ids: Iterable[int]) -> list[StoredPassage]:
        """The passages of those ids, in the order of `ids`. Raises `StoreDamaged` for an unknown one."""
        return [self._kept_passage(passage_id) for passage_id in ids]

    def frequency(self, asked: Iterable[str]) -> dict[str, int]:
        """In how many passages each term stands."""
        query = "SELECT doc FROM lexical_term WHERE term = ?"
        return {term: int(next(iter(self._all(query, term)), (0,))[0]) for term in sorted(set(asked))}

    def matching(self, asked: Iterable[str], n: int) -> list[int]:
        """The ids of at most `n` passages that hold any of the terms `asked`, the best by BM25 first."""
        match = " OR ".join(f'"{term}"' for term in asked)
        query = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rank, rowid LIMIT ?"
        return [int(row[0]) for row in self._all(query, match, n)] if match else []

    def holding(self, phrases: Iterable[Sequence[str]], n: int) -> list[int]:
        """The ids of at most `n` passages that hold each of the `phrases`, a run of terms, the best by BM25 first."""
        match = " AND ".join('"' + " ".join(phrase) + '"' for phrase in phrases)
        query = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rank, rowid LIMIT ?"
        return [int(row[0]) for row in self._all(query, match, n)] if match else []

    def vectors(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """All passage ids, int64 (n,), and their vectors, float32 (n, dim), by id."""
        import numpy as np

        rows = self._all("SELECT id, vector FROM passage ORDER BY id")
        ids = np.array([row[0] for row in rows], np.int64)
        vectors = [self._floats(row[1], "<f4") for row in rows]
        return ids, np.concatenate(vectors) if vectors else np.zeros((0, self.manifest.dim), np.float32)

    def _dispatch(self, row: tuple[Any, ...]) -> Dispatch:
        if _digest(row[:-1]) != row[-1]:
            raise self._damaged(f"the dispatch {row[0]!r} is not the one that was stored")
        return Dispatch(*row[:-1])

    def _passage(self, passage_id: int) -> StoredPassage:
        # SQLite's substr counts code points, as the spans do, and the text is stored once, in its dispatch.
        rows = self._all(
            """SELECT p.dispatch_id, p.paragraph, p.start, p."end", p.sentences, p.vector, p.sentence_vectors, p.digest,
                      substr(d.text, p.start + 1, p."end" - p.start)
               FROM passage p JOIN dispatch d ON d.id = p.dispatch_id WHERE p.id = ?""",
            passage_id,
        )
        if not rows:
            raise self._damaged(f"it has no passage {passage_id}, which its index names")
        *values, digest, text = rows[0]
        if _digest(values) != digest:
            raise self._damaged(f"passage {passage_id} is not the one that was stored")
        dispatch_id, paragraph, start, end, spans, vector, sentence_vectors = values
        sentences = tuple(Span(*pair) for pair in json.loads(spans))
        passage = Passage(dispatch_id, paragraph, Span(start, end), sentences)
        inside = self._floats(sentence_vectors, "<f2")
        return StoredPassage(passage_id, passage, text, self._floats(vector, "<f4")[0], inside)

    def _floats(self, blob: bytes, dtype: str) -> npt.NDArray[np.float32]:
        """A blob as float32 (n, dim)."""
        import numpy as np

        try:
            return np.frombuffer(blob, dtype).reshape(-1, self.manifest.dim).astype(np.float32)
        except (TypeError, ValueError) as error:
            raise self._damaged("a vector has the wrong length") from error

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError, ValueError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(
            f"the store in {self._folder} is damaged: {what}; restore it from a copy, or make it again from the "
            f"dispatches with: {build_command(self._folder, force=True)}"
        )
