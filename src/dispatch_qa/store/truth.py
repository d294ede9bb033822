"""The truth, read: dispatches, spans and vectors in one SQLite file, seen as they were at one commit."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.errors import StoreForeign, StoreLocked, StoreMissing, StoreOutdated, build_command, migrate_command
from dispatch_qa.records import Dispatch, Filter
from dispatch_qa.store.schema import (
    APPLICATION_ID,
    FIELDS,
    FORMAT,
    Manifest,
    ManifestChanged,
    StoredPassage,
    damaged,
    digest_of,
    dispatch_of,
    embedded_of,
    filtering,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

PATIENCE = 20
"""Seconds to wait for another process at the moments at which SQLite lets only one in."""


class _Connection(sqlite3.Connection):
    """One that can be referred to weakly, which the plain one cannot."""


class Truth:
    """A truth file opened for reading. Safe to share between threads: each has a connection of its own.

    What is asked inside `reading` is answered from one commit, whatever is written meanwhile.

    Raises:
        StoreMissing, StoreForeign, StoreDamaged, StoreOutdated: each names the command that mends it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = path.parent
        if not path.is_file():
            raise StoreMissing(f"there is no store in {self._folder}; make one with: {build_command(self._folder)}")
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        # Of one generation nothing ever changes, and candidates come again and again.
        self._kept_passage = lru_cache(maxsize=4_096)(self._passage)
        # Passages are asked for in their order: a long text is read once for all of its own.
        self._kept_text = lru_cache(maxsize=2)(self._text)
        # A question's small words are in every question, and counting those of a large store takes long.
        self._kept_frequency = lru_cache(maxsize=16_384)(self._frequency)
        self._check_header()
        with self.reading():
            pass

    @property
    def manifest(self) -> Manifest:
        """The manifest of the commit that this thread reads."""
        with self.reading() as manifest:
            return manifest

    @contextmanager
    def reading(self) -> Iterator[Manifest]:
        """Read from one commit, in this thread, until left. May be entered again inside."""
        if getattr(self._local, "manifest", None) is not None:
            yield self._local.manifest
            return
        self._all("BEGIN")
        try:
            self._local.manifest = self._read_manifest()
            yield self._local.manifest
        finally:
            self._local.manifest = None
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        for db in list(self._connections):
            db.close()

    def dispatch(self, dispatch_id: str) -> Dispatch | None:
        """The dispatch of that id, or `None`. Raises `StoreDamaged` where its text is not what was stored."""
        rows = self._all(f"SELECT {', '.join(FIELDS)}, sha256, digest FROM dispatch WHERE id = ?", dispatch_id)
        return self._dispatch(rows[0]) if rows else None

    def dispatches(self) -> Iterator[Dispatch]:
        """All dispatches, by id."""
        for dispatch_id in self.ids():
            if dispatch := self.dispatch(dispatch_id):
                yield dispatch

    def ids(self) -> list[str]:
        """The ids of all dispatches, in order."""
        return [row[0] for row in self._all("SELECT id FROM dispatch ORDER BY id")]

    def rows(self, fields: Iterable[str], where: Filter | None = None) -> list[tuple[Any, ...]]:
        """Some fields of the dispatches that `where` lets through, by id, without their digests being checked."""
        condition, values = filtering(where)
        return self._all(f"SELECT {', '.join(fields)} FROM dispatch WHERE {condition} ORDER BY id", *values)

    def counts(self) -> tuple[int, int]:
        """How many dispatches and passages there are."""
        return self.manifest.dispatches, self.manifest.passages

    def passages(self, ids: Iterable[int]) -> list[StoredPassage]:
        """The passages of those ids, in the order of `ids`. Raises `StoreDamaged` for an unknown one."""
        generation = self.manifest.generation
        return [self._kept_passage(generation, passage_id) for passage_id in ids]

    def passage_ids(self, dispatch_id: str | None = None) -> list[int]:
        """The ids of all passages, or of one dispatch's, in order."""
        # Not from the table itself, whose rows are long.
        if dispatch_id is None:
            return sorted(row[0] for row in self._all("SELECT id FROM passage INDEXED BY passage_of_dispatch"))
        return [row[0] for row in self._all("SELECT id FROM passage WHERE dispatch_id = ? ORDER BY id", dispatch_id)]

    def frequency(self, asked: Iterable[str]) -> dict[str, int]:
        """In how many passages each term stands."""
        generation = self.manifest.generation
        return {term: self._kept_frequency(generation, term) for term in sorted(set(asked))}

    def matching(self, asked: Iterable[str]) -> Iterator[int]:
        """The ids of the passages that hold any of the terms `asked`, the best by BM25 first."""
        return self._ranked(" OR ".join(f'"{term}"' for term in asked))

    def holding(self, phrases: Iterable[Sequence[str]]) -> Iterator[int]:
        """The ids of the passages that hold each of the `phrases`, a run of terms, the best by BM25 first."""
        return self._ranked(" AND ".join('"' + " ".join(phrase) + '"' for phrase in phrases))

    def takes(self) -> list[tuple[Any, ...]]:
        """Dispatches that may not be quoted: takes of one story, withheld, canceled and embargoed ones.

        As (story, id, version, filed_at, status, embargo), in the order in which they were stored.
        """
        return self._all(
            """SELECT coalesce(version_of, id), id, version, filed_at, status, embargo FROM dispatch
               WHERE coalesce(version_of, id) IN
                     (SELECT coalesce(version_of, id) FROM dispatch GROUP BY 1 HAVING count(*) > 1)
                  OR id IN (SELECT id FROM dispatch WHERE status IN ('withheld', 'canceled') OR embargo IS NOT NULL)
               ORDER BY number"""
        )

    def labels(self) -> dict[int, int]:
        """The passages that repeat others nearly word for word, each with a number that they share."""
        return dict(self._all("SELECT passage_id, label FROM alike"))

    def sharing(self, label: int) -> list[str]:
        """The ids of the dispatches that hold a passage of that label, in the order of the passages."""
        query = (
            "SELECT p.dispatch_id FROM alike a JOIN passage p ON p.id = a.passage_id WHERE a.label = ? ORDER BY p.id"
        )
        return list(dict.fromkeys(row[0] for row in self._all(query, label)))

    def of_dispatches(self, where: Filter) -> list[int]:
        """The ids of the passages of all dispatches that `where` lets through."""
        condition, values = filtering(where)
        query = f"SELECT p.id FROM dispatch d CROSS JOIN passage p ON p.dispatch_id = d.id WHERE {condition}"
        return [row[0] for row in self._all(query, *values)]

    def of_ids(self, dispatch_ids: Iterable[str]) -> list[int]:
        """The ids of the passages of those dispatches."""
        query = "SELECT p.id FROM json_each(?) e CROSS JOIN passage p ON p.dispatch_id = e.value"
        return [row[0] for row in self._all(query, json.dumps(list(dispatch_ids)))]

    def passed(self, generation: str) -> bool:
        """Whether this store has had that content since it was built, so that ids mean the same."""
        return bool(self._all("SELECT 1 FROM passed WHERE generation = ?", generation))

    def vectors(self, after: int = 0) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """All passage ids above `after`, int64 (n,), and their vectors, float32 (n, dim), by id."""
        import numpy as np

        dim = self.manifest.dim
        query = "SELECT id, vector FROM passage WHERE id > ? ORDER BY id"
        ((count,),) = self._all("SELECT count(*) FROM passage WHERE id > ?", after)
        ids = np.zeros(count, np.int64)
        vectors = np.zeros((len(ids), dim), np.float32)
        try:
            for place, (passage_id, vector) in enumerate(self._db.execute(query, (after,))):
                ids[place], vectors[place] = passage_id, np.frombuffer(vector, "<f4")
        except (sqlite3.DatabaseError, TypeError, ValueError, IndexError) as error:
            raise damaged(self._folder, f"its vectors cannot be read ({error})") from error
        return ids, vectors

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of any query, read as everything else is."""
        return self._all(query, *values)

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            # Not "ro": what a killed writer left half-done is undone by the first who opens the file. Where nothing
            # can be written, nobody writes.
            still = not os.access(self._folder, os.W_OK)
            where = self.path.resolve().as_uri() + ("?immutable=1" if still else "?mode=rw")
            made = sqlite3.connect(
                where, PATIENCE, isolation_level=None, check_same_thread=False, factory=_Connection, uri=True
            )
            made.execute("PRAGMA query_only = ON")
            self._connections.add(made)
            db = self._local.db = made
        return db

    def _ranked(self, match: str) -> Iterator[int]:
        query = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rank, rowid"
        try:
            for row in self._db.execute(query, (match,)) if match else ():
                yield int(row[0])
        except sqlite3.DatabaseError as error:
            raise damaged(self._folder, str(error)) from error

    def _check_header(self) -> None:
        with self.path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            raise damaged(self._folder, "it ends in its header")
        if not head.startswith(_MAGIC):
            raise StoreForeign(f"{self.path} is no database; name another folder with --index, or move the file away")
        application, version = (int(self._all(f"PRAGMA {name}")[0][0]) for name in ("application_id", "user_version"))
        if application != APPLICATION_ID:
            raise StoreForeign(
                f"{self.path} is a database of another program, not a Dispatch QA store; "
                "name another folder with --index"
            )
        if version == 2:
            raise StoreOutdated(
                f"the store in {self._folder} has format 2, this version reads {FORMAT}; "
                f"bring it over, without the model, with: {migrate_command(self._folder)}"
            )
        if version != FORMAT:
            raise StoreOutdated(
                f"the store in {self._folder} has format {version}, this version reads {FORMAT}; "
                f"make it again with: {build_command(self._folder, force=True)}"
            )

    def _read_manifest(self) -> Manifest:
        try:
            return Manifest.of(self._all("SELECT key, value FROM manifest"))
        except ManifestChanged as error:
            raise damaged(self._folder, "its manifest is not the one that was stored") from error
        except (TypeError, ValueError) as error:
            raise damaged(self._folder, "its manifest makes no sense") from error

    def _dispatch(self, row: tuple[Any, ...]) -> Dispatch:
        *values, digest = row
        if digest_of(values) != digest:
            raise damaged(self._folder, f"the dispatch {row[0]!r} is not the one that was stored")
        return dispatch_of(values[:-1])

    def _passage(self, generation: str, passage_id: int) -> StoredPassage:
        rows = self._all(
            """SELECT id, dispatch_id, paragraph, start, "end", sentences, vector, sentence_vectors, digest
               FROM passage WHERE id = ?""",
            passage_id,
        )
        if not rows:
            raise damaged(self._folder, f"it has no passage {passage_id}, which its index names")
        *values, digest = rows[0]
        if digest_of(values) != digest:
            raise damaged(self._folder, f"passage {passage_id} is not the one that was stored")
        passage, vector, inside = embedded_of(values[1], values[2:], self.manifest.dim)
        text = passage.span.of(self._kept_text(generation, passage.dispatch_id))
        return StoredPassage(passage_id, passage, text, vector, inside)

    def _frequency(self, generation: str, term: str) -> int:
        return sum(row[0] for row in self._all("SELECT doc FROM lexical_term WHERE term = ?", term))

    def _text(self, generation: str, dispatch_id: str) -> str:
        rows = self._all("SELECT text FROM dispatch WHERE id = ?", dispatch_id)
        if not rows:
            raise damaged(self._folder, f"it has passages of {dispatch_id!r}, but not the dispatch")
        return str(rows[0][0])

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreLocked(f"the store in {self._folder} is kept by another process ({error}); again") from error
            raise damaged(self._folder, str(error)) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError, ValueError) as error:
            raise damaged(self._folder, str(error)) from error
