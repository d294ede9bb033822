"""Looking after a store: verifying all of it, making again what is derived, moving it whole, bringing it over."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from dispatch_qa.alike import keys
from dispatch_qa.errors import InputRejected, StoreDamaged, StoreError, StoreForeign
from dispatch_qa.lexical import terms
from dispatch_qa.records import Dispatch
from dispatch_qa.store import index
from dispatch_qa.store.change import changing, held, place, swept
from dispatch_qa.store.files import INDEX, INDEX_CARD, TRUTH
from dispatch_qa.store.schema import APPLICATION_ID, LEXICAL, Embedded, Manifest, damaged, digest_of, embedded_of
from dispatch_qa.store.truth import Truth
from dispatch_qa.store.writer import Writer, content_of, create

ROUNDING = 1e-3
"""How far a vector's length may be from 1."""

_OF_AN_INDEX = re.compile(r"(missing from|entries in|non-unique entry in) index ")
"""What SQLite says of an index that does not fit its table, which is derived like ours."""


def check(folder: Path) -> tuple[list[str], list[str]]:
    """What is wrong with a store: with its truth, and with what is derived from it and can be made again.

    Every digest, every span, every vector's length, the sum over all rows, the words' index term by term, the keys
    and the search index with its contents are compared with what they must be.

    Raises:
        StoreError: it cannot even be opened.
    """
    with closing(Truth(folder / TRUTH)) as truth, truth.reading():
        told = _integrity(truth)
        if told and all(_OF_AN_INDEX.search(line) for line in told):
            # What is looked up by it cannot be told from what is missing.
            return [], [f"an index inside the database is wrong: {told[0]}"]
        wrong = [*told, *_truth(truth)]
        return wrong, [] if wrong else list(_derived(truth, folder))


def repair(folder: Path) -> list[str]:
    """Make again whatever `check` finds wrong with what is derived; what that was.

    Raises:
        StoreDamaged: the truth itself is damaged, which only a copy or the dispatches can mend.
    """
    wrong, derived = check(folder)
    if wrong:
        raise StoreDamaged(
            f"the store in {folder} is damaged, and not only in what is derived: {wrong[0]}"
            f"{f' and {len(wrong) - 1:,} more' if len(wrong) > 1 else ''}; restore it from a copy"
        )
    if derived:
        with changing(folder, None) as writer:
            writer.derive()
            for name in (INDEX, INDEX_CARD):
                (folder / name).unlink(missing_ok=True)
    return derived


def export(folder: Path, file: Path) -> int:
    """Write a whole store as one file, of one moment; the number of its dispatches.

    Raises:
        InputRejected: the file is there already.
        StoreError: the store cannot be read, or the file not written.
    """
    if file.exists():
        raise InputRejected(f"{file} is there already; name another file")
    Truth(folder / TRUTH).close()
    try:
        _copy(folder / TRUTH, file)
    except (OSError, sqlite3.Error) as error:
        file.unlink(missing_ok=True)
        raise StoreError(f"{file} could not be written ({error}); free space there or name another") from error
    with closing(Truth(file)) as written:
        return written.manifest.dispatches


def bring_in(folder: Path, file: Path, *, force: bool = False) -> int:
    """Make the store in `folder` the one that was exported into `file`; the number of its dispatches.

    Raises:
        InputRejected: there is a store with dispatches already, and `force` was not given, or there is no such file.
        StoreError: the file is no whole store, or the folder cannot be written.
    """
    if not file.is_file():
        raise InputRejected(f"there is no file {file}")
    if not force and (folder / TRUTH).exists() and Truth(folder / TRUTH).manifest.dispatches:
        raise InputRejected(f"the store in {folder} holds dispatches, which would be lost; add --force to drop them")
    with held(folder):
        work = swept(folder)
        try:
            _copy(file, work)
            with closing(Truth(work)) as truth, truth.reading() as manifest:
                wrong = [*_integrity(truth), *_truth(truth)]
            if wrong:
                raise StoreDamaged(f"{file} is not a whole store: {wrong[0]}; export it again")
            place(work, folder)
        finally:
            swept(folder)
    return manifest.dispatches


def migrate(folder: Path) -> int | None:
    """Bring a store of format 2 over, without the model; its dispatches, or `None` where it is of today's format.

    Raises:
        StoreError: it is of another format still, damaged, or the folder cannot be written.
    """
    with held(folder):
        path = folder / TRUTH
        if not path.is_file() or _format(path) != 2:
            Truth(path).close()
            return None
        work = swept(folder)
        try:
            with closing(sqlite3.connect(path)) as old:
                told = {key: json.loads(value) for key, value in old.execute("SELECT key, value FROM manifest")}
                manifest = Manifest(**{key: told[key] for key in told.keys() - {"digest", "generation"}})
                create(work, manifest)
                with closing(Writer(work, shared=False)) as writer:
                    for dispatch, passages in _of_format_2(old, manifest.dim, folder):
                        writer.put(dispatch, passages)
                    writer.commit()
            place(work, folder)
            return writer.manifest.dispatches
        finally:
            swept(folder)


def _integrity(truth: Truth) -> list[str]:
    """What SQLite itself finds wrong with a file."""
    return [f"SQLite: {line}" for (line,) in truth.query("PRAGMA integrity_check") if line != "ok"]


def _truth(truth: Truth) -> Iterator[str]:
    """What is wrong with the truth, read row by row."""
    import numpy as np

    manifest = truth.manifest
    dispatches = 0
    for dispatch_id in truth.ids():
        try:
            dispatch = truth.dispatch(dispatch_id)
            assert dispatch is not None  # noqa: S101 - it was just listed, in the same transaction
            dispatches += 1
            for passage_id in truth.passage_ids(dispatch_id):
                (one,) = truth.passages([passage_id])
                rows = np.concatenate([one.vector[None], one.sentence_vectors])
                if abs(np.linalg.norm(rows, axis=1) - 1).max() > ROUNDING:
                    yield f"passage {passage_id} has a vector that is not of length 1"
                span = one.passage.span
                inside = [span.start, *(edge for s in one.passage.sentences for edge in (s.start, s.end)), span.end]
                if inside != sorted(inside) or span.end > len(dispatch.text):
                    yield f"passage {passage_id} lies outside its text"
        except StoreDamaged as error:
            yield str(error).partition("is damaged: ")[2].partition(";")[0]
    digests = [row[0] for row in truth.query("SELECT digest FROM dispatch UNION ALL SELECT digest FROM passage")]
    passages = len(truth.passage_ids())
    if (dispatches, passages) != (manifest.dispatches, manifest.passages):
        yield f"it should have {manifest.dispatches:,} dispatches and {manifest.passages:,} passages, not these"
    if content_of(digests) != manifest.content:
        yield "its rows do not add up to what was stored: some are missing, or came from elsewhere"


def _derived(truth: Truth, folder: Path) -> Iterator[str]:
    """What is wrong with what is derived from a truth that is right."""
    import numpy as np

    with closing(sqlite3.connect("")) as again:
        again.execute(LEXICAL)
        again.execute("CREATE VIRTUAL TABLE lexical_term USING fts5vocab (lexical, row)")
        for dispatch in truth.dispatches():
            for one in truth.passages(truth.passage_ids(dispatch.id)):
                again.execute("INSERT INTO lexical (rowid, terms) VALUES (?, ?)", (one.id, " ".join(terms(one.text))))
            likened = truth.query("SELECT key FROM likeness WHERE dispatch_id = ?", dispatch.id)
            if {row[0] for row in likened} != set(keys(dispatch.text)):
                yield f"the keys of {dispatch.id!r} are not those of its text"
        counted = "SELECT term, doc, cnt FROM lexical_term ORDER BY term"
        if truth.query(counted) != again.execute(counted).fetchall():
            yield "the index of words does not hold the words of the passages"
    found = index.load(folder, truth)
    if found is None:
        yield "the search index is missing or not the store's"
        return
    if truth.manifest.untidy or found.gone.size:
        yield "traces of what was removed are left in what is derived"
    ids, vectors = truth.vectors()
    held_ids = np.setdiff1d(np.concatenate([found.engine.ids, found.tail_ids]), found.gone)
    if held_ids.tolist() != ids.tolist():
        yield "the search index does not hold the passages of the store"
    elif found.engine.exact and not found.engine.holds(ids, vectors):
        yield "the search index holds other vectors than the store"


def _copy(source: Path, target: Path) -> None:
    """Copy a database of any journal mode into one plain file, and onto the disk."""
    with closing(sqlite3.connect(source.resolve().as_uri() + "?mode=rw", uri=True)) as old:
        old.execute("VACUUM INTO ?", (str(target),))
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _format(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        try:
            ((application,),) = db.execute("PRAGMA application_id")
            ((version,),) = db.execute("PRAGMA user_version")
        except sqlite3.DatabaseError as error:
            raise StoreForeign(f"{path} is no database; name another folder with --index") from error
    return int(version) if application == APPLICATION_ID else 0


def _of_format_2(old: sqlite3.Connection, dim: int, folder: Path) -> Iterator[tuple[Dispatch, list[Embedded]]]:
    """The dispatches of a store of format 2, each with its passages, in the order of their passages."""
    names = [row[1] for row in old.execute("PRAGMA table_info(dispatch)")][:-1]
    order = "SELECT dispatch_id FROM passage GROUP BY dispatch_id ORDER BY min(id)"
    rest = "SELECT id FROM dispatch WHERE id NOT IN (SELECT dispatch_id FROM passage) ORDER BY id"
    for (dispatch_id,) in [*old.execute(order), *old.execute(rest)]:
        *values, digest = old.execute("SELECT * FROM dispatch WHERE id = ?", (dispatch_id,)).fetchone()
        rows = old.execute(
            """SELECT dispatch_id, paragraph, start, "end", sentences, vector, sentence_vectors, digest
               FROM passage WHERE dispatch_id = ? ORDER BY id""",
            (dispatch_id,),
        ).fetchall()
        if digest_of(values) != digest or any(digest_of(row[:-1]) != row[-1] for row in rows):
            raise damaged(folder, f"the dispatch {dispatch_id!r} is not the one that was stored")
        fielded: dict[str, Any] = dict(zip(names, values, strict=True))
        dispatch = replace(Dispatch("", ""), **fielded)
        yield dispatch, [embedded_of(dispatch_id, row[1:-1], dim) for row in rows]
