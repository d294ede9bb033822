"""The truth, written: dispatches added, replaced and removed, many at a time in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dispatch_qa.alike import SAME_PASSAGE, jaccard, keys, triples
from dispatch_qa.lexical import terms
from dispatch_qa.records import Dispatch
from dispatch_qa.store.schema import (
    FIELDS,
    SCHEMA,
    Embedded,
    Manifest,
    digest_of,
    dispatch_of,
    dispatch_row,
    embedded_of,
    passage_row,
)
from dispatch_qa.store.truth import PATIENCE

COMPARED = 20
"""A dispatch is compared with so many of those that share a key with it; copies of copies have its label anyway."""

REMEMBERED = 1_000
"""So many generations back an index can be mended instead of made again."""

_WHOLE = 1 << 128
_DISPATCH = f"INSERT INTO dispatch ({', '.join(FIELDS)}, sha256, digest) VALUES ({', '.join('?' * (len(FIELDS) + 2))})"
_PASSAGE = "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def create(path: Path, manifest: Manifest) -> None:
    """Make an empty truth file at `path`, which must not exist."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 4096")
        db.execute("PRAGMA synchronous = EXTRA")
        db.executescript("BEGIN IMMEDIATE;" + SCHEMA)
        empty = replace(manifest, content="0", dispatches=0, passages=0, last=0, untidy=False)
        db.executemany("INSERT INTO manifest VALUES (?, ?)", _stamped(empty).rows())
        db.execute("COMMIT")


class Writer:
    """Writes a truth file; the caller holds the store's lock.

    What is put and removed stands after `commit`, all of it, or not at all. Readers go on meanwhile.

    Args:
        path: the truth file, which exists.
        shared: whether others may be reading it.
    """

    def __init__(self, path: Path, *, shared: bool = True) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
        # What is deleted is overwritten, and what is committed is on disk.
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute("PRAGMA synchronous = EXTRA")
        if shared:
            # From now on readers go on while something is written. A store that was only built is one plain file.
            self._db.execute("PRAGMA journal_mode = WAL")
        self.manifest = self._next = self._stored()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds, with what was put and removed but not committed yet."""
        return self._db.execute(query, values).fetchall()

    def dispatch(self, dispatch_id: str) -> Dispatch | None:
        """The dispatch of that id, or `None`."""
        rows = self.rows(f"SELECT {', '.join(FIELDS)} FROM dispatch WHERE id = ?", dispatch_id)
        return dispatch_of(rows[0]) if rows else None

    def embedded(self, dispatch_id: str) -> list[Embedded]:
        """The passages of a dispatch, with the vectors that are stored."""
        query = """SELECT paragraph, start, "end", sentences, vector, sentence_vectors FROM passage
                   WHERE dispatch_id = ? ORDER BY id"""
        return [embedded_of(dispatch_id, row, self.manifest.dim) for row in self.rows(query, dispatch_id)]

    def put(self, dispatch: Dispatch, passages: list[Embedded]) -> None:
        """Add a dispatch, in place of the one that has its id."""
        self._begin()
        self.remove(dispatch.id)
        row = dispatch_row(dispatch)
        self._db.execute(_DISPATCH, row)
        first = self._next.last + 1
        rows = [passage_row(number, one) for number, one in enumerate(passages, start=first)]
        self._db.executemany(_PASSAGE, rows)
        texts = [passage.span.of(dispatch.text) for passage, _, _ in passages]
        numbered = dict(enumerate(texts, start=first))
        self._derive(dispatch, numbered)
        self._count(+1, [row, *rows])
        self._next = replace(self._next, last=self._next.last + len(rows))

    def remove(self, dispatch_id: str) -> bool:
        """Remove a dispatch with all that is derived from it; whether there was one."""
        self._begin()
        rows = self._db.execute("SELECT text, digest FROM dispatch WHERE id = ?", (dispatch_id,)).fetchall()
        if not rows:
            return False
        text, _ = rows[0]
        query = 'SELECT id, start, "end", digest FROM passage WHERE dispatch_id = ?'
        passages = self._db.execute(query, (dispatch_id,)).fetchall()
        for number, start, end, _ in passages:
            words = " ".join(terms(text[start:end]))
            self._db.execute("INSERT INTO lexical (lexical, rowid, terms) VALUES ('delete', ?, ?)", (number, words))
            self._db.execute("DELETE FROM alike WHERE passage_id = ?", (number,))
        for table, column in (("likeness", "dispatch_id"), ("passage", "dispatch_id"), ("dispatch", "id")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (dispatch_id,))
        self._count(-1, [*rows, *passages])
        self._next = replace(self._next, untidy=True)
        return True

    def read_from(self, source: str, sha256: str | None) -> None:
        """Remember what a source file held when it was read, or forget the file."""
        self._begin()
        self._db.execute("DELETE FROM source WHERE path = ?", (source,))
        if sha256 is not None:
            self._db.execute("INSERT INTO source VALUES (?, ?)", (source, sha256))

    def forget_overtaken(self) -> None:
        """Forget files whose dispatches came from another file since, so that they give theirs again when that goes."""
        self._begin()
        self._db.execute("DELETE FROM source WHERE path NOT IN (SELECT source FROM dispatch WHERE source IS NOT NULL)")

    def commit(self) -> Manifest:
        """Make what was put and removed stand; the manifest of what stands then."""
        if self._db.in_transaction:
            self._commit(_stamped(self._next))
        return self.manifest

    def derive(self) -> None:
        """Make again what is derived in the truth file: SQLite's indexes, the words' index, the keys, the copies."""
        self._begin()
        self._db.execute("REINDEX")
        self._db.execute("INSERT INTO lexical (lexical) VALUES ('delete-all')")
        self._db.execute("DELETE FROM likeness")
        self._db.execute("DELETE FROM alike")
        for (dispatch_id,) in self.rows("SELECT id FROM dispatch ORDER BY number"):
            if dispatch := self.dispatch(dispatch_id):
                query = 'SELECT id, start, "end" FROM passage WHERE dispatch_id = ? ORDER BY id'
                spans = self.rows(query, dispatch_id)
                self._derive(dispatch, {number: dispatch.text[start:end] for number, start, end in spans})
        self.commit()

    def undo(self) -> None:
        """Forget what was put and removed since the last commit."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self.manifest = self._next = self._stored()

    def tidy(self) -> None:
        """Merge the words' index, in which what was removed would otherwise be found a while longer."""
        self._begin()
        self._db.execute("INSERT INTO lexical (lexical) VALUES ('optimize')")
        self._commit(replace(self.manifest, untidy=False))

    def settle(self) -> None:
        """Write what was committed into the one file, as far as readers allow; the journal is emptied with it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file. What was not committed is undone."""
        self.undo()
        self._db.close()

    def replace_all(self, other: Path) -> None:
        """Put the content of another truth file in the place of this one's, in one transaction."""
        with closing(sqlite3.connect(other)) as new:
            new.backup(self._db)
        self.manifest = self._next = self._stored()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _stored(self) -> Manifest:
        return Manifest.of(self._db.execute("SELECT key, value FROM manifest").fetchall())

    def _commit(self, manifest: Manifest) -> None:
        self._db.execute("DELETE FROM manifest")
        self._db.executemany("INSERT INTO manifest VALUES (?, ?)", manifest.rows())
        if manifest.generation != self.manifest.generation:
            self._db.execute("INSERT INTO passed (generation) VALUES (?)", (self.manifest.generation,))
            self._db.execute("DELETE FROM passed WHERE number <= (SELECT max(number) FROM passed) - ?", (REMEMBERED,))
        self._db.execute("COMMIT")
        # Only now: where the commit fails, what was stored before is still true.
        self.manifest = self._next = manifest

    def _count(self, sign: int, rows: list[tuple[object, ...]]) -> None:
        """Reckon with rows that came or went: a dispatch and its passages. The last column is the digest."""
        digests = (row[-1] for row in rows)
        total = sum(int.from_bytes(digest, "big") for digest in digests if isinstance(digest, bytes))
        self._next = replace(
            self._next,
            content=f"{(int(self._next.content, 16) + sign * total) % _WHOLE:x}",
            dispatches=self._next.dispatches + sign,
            passages=self._next.passages + sign * (len(rows) - 1),
        )

    def _derive(self, dispatch: Dispatch, passages: dict[int, str]) -> None:
        """Add what is derived from a dispatch and the texts of its passages, by their ids."""
        words = [(number, " ".join(terms(text))) for number, text in passages.items()]
        self._db.executemany("INSERT INTO lexical (rowid, terms) VALUES (?, ?)", words)
        self._liken(dispatch, passages)

    def _liken(self, dispatch: Dispatch, passages: dict[int, str]) -> None:
        """Label the passages that repeat those of another dispatch."""
        found = keys(dispatch.text)
        query = "SELECT DISTINCT dispatch_id FROM likeness WHERE key IN (SELECT value FROM json_each(?)) LIMIT ?"
        others = [row[0] for row in self._db.execute(query, (json.dumps(found), COMPARED))]
        self._db.executemany("INSERT OR IGNORE INTO likeness VALUES (?, ?)", [(key, dispatch.id) for key in found])
        mine = {number: triples(text) for number, text in passages.items()}
        # In long dispatches each with each would be far too many: who shares most of a passage's triples has one at
        # least of any few more than may be missing, and so of those that the fewest hold.
        holding: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, one in mine.items():
            for triple in one:
                holding[triple].append(number)
        for other in others:
            ((text,),) = self.rows("SELECT text FROM dispatch WHERE id = ?", other)
            query = """SELECT p.id, coalesce(a.label, p.id), p.start, p."end" FROM passage p
                       LEFT JOIN alike a ON a.passage_id = p.id WHERE p.dispatch_id = ?"""
            for theirs, label, start, end in self.rows(query, other):
                told = triples(text[start:end])
                rarest = sorted(told, key=lambda triple: len(holding.get(triple, ())))
                few = rarest[: int((1 - SAME_PASSAGE) * len(told)) + 2]
                sharing = {number for triple in few for number in holding.get(triple, ())}
                same = [n for n in sorted(sharing) if n in mine and jaccard(mine[n], told) >= SAME_PASSAGE]
                if same:
                    labelled = [(number, label) for number in (theirs, *same)]
                    self._db.executemany("INSERT OR REPLACE INTO alike VALUES (?, ?)", labelled)
                for number in same:
                    del mine[number]


def content_of(digests: Iterable[bytes]) -> str:
    """What a manifest holds as `content` where these are the digests of all rows."""
    return f"{sum(int.from_bytes(digest, 'big') for digest in digests) % _WHOLE:x}"


def _stamped(manifest: Manifest) -> Manifest:
    """The manifest with the generation that its content gives."""
    told = asdict(manifest)
    lasting = sorted((key, value) for key, value in told.items() if key not in ("generation", "last", "untidy"))
    return replace(manifest, generation=digest_of(lasting).hex())
