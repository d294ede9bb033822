"""The changes whose survival is tried, each with the contents that may stand after it was cut off."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from fakes import FakeEmbedder

from dispatch_qa.archive import Archive
from dispatch_qa.encode import embedded, manifest_of
from dispatch_qa.qa import build
from dispatch_qa.records import Dispatch
from dispatch_qa.settings import Settings
from dispatch_qa.store import Embedded, Store, changing, upkeep
from dispatch_qa.store.schema import digest_of


class Embedder(FakeEmbedder):
    """The fake, which embeds a text once: what is tried here is writing."""

    _vector = lru_cache(maxsize=None)(FakeEmbedder._vector)


EMBEDDER = Embedder(dim=16)
MANIFEST = manifest_of(EMBEDDER, Settings())

State = dict[str, str]
"""The texts of a store by id."""

Change = Callable[[Path], None]


def dispatch(name: str, edition: int) -> Dispatch:
    """A dispatch of two paragraphs, of which one says its edition."""
    text = f"Le port numéro {name} a rouvert.\n\nÉdition {edition} de la dépêche {name}."
    return Dispatch(name, text, "fr", slug=name)


def editions(edition: int, names: range) -> list[Dispatch]:
    """Some dispatches of one edition."""
    return [dispatch(f"d{n:03}", edition) for n in names]


def state_of(folder: Path) -> State | None:
    """All that a store holds, after it was verified: `None` where there is none.

    Raises `AssertionError` where anything in it is wrong that the next to open it does not mend.
    """
    if not (folder / "dispatches.sqlite").exists():
        return None
    with closing(Store(folder)) as store, store.reading():
        kept = {one.id: one.text for one in store.dispatches()}
        ids, vectors = store.truth.vectors()
        query = np.full(EMBEDDER.dim, 0.25, np.float32)
        found = store.nearest(query, len(ids) + 9)
        best = dict(zip(ids.tolist(), (vectors @ query).tolist(), strict=True))
        assert len(found) == len({*ids.tolist()}), "the search index does not hold what the store holds"
        assert all(abs(best[passage] - cosine) < 1e-5 for passage, cosine in found), "a search found a wrong cosine"
    wrong, derived = upkeep.check(folder)
    assert not wrong, wrong
    assert all("traces" in line for line in derived), derived
    return kept


def texts(dispatches: list[Dispatch]) -> State:
    """Dispatches as a state."""
    return {one.id: one.text for one in dispatches}


def start(folder: Path) -> State:
    """A store that has been changed once, so that it has a history; and the folder that it follows, beside it."""
    build(replace(Settings(), index=folder), dispatches=editions(0, range(12)), embedder=EMBEDDER)
    wire = folder.with_name("wire")
    wire.mkdir(exist_ok=True)
    for n in range(4):
        (wire / f"f{n}.txt").write_text(dispatch(f"f{n}", 0).text, encoding="utf-8")
    Archive(replace(Settings(), index=folder), EMBEDDER).sync(wire)
    kept = state_of(folder)
    assert kept is not None
    return kept


@cache
def passages_of(one: Dispatch) -> list[Embedded]:
    """The passages of a dispatch, split and embedded once."""
    return embedded(one, EMBEDDER, 256)


def put(folder: Path, dispatches: list[Dispatch], gone: tuple[str, ...] = ()) -> None:
    """Add, replace and remove in one commit."""
    with changing(folder, MANIFEST) as writer:
        for name in gone:
            writer.remove(name)
        for one in dispatches:
            writer.put(one, passages_of(one))
        writer.commit()


def sync(folder: Path) -> None:
    """Follow a folder in which one file is new, one changed and one gone."""
    wire = folder.with_name("wire")
    (wire / "f0.txt").unlink(missing_ok=True)
    (wire / "f1.txt").write_text(dispatch("f1", 1).text, encoding="utf-8")
    (wire / "f9.txt").write_text(dispatch("f9", 1).text, encoding="utf-8")
    Archive(replace(Settings(), index=folder), EMBEDDER).sync(wire)


def rebuild(folder: Path) -> None:
    """Make the whole store again from other content."""
    settings = replace(Settings(), index=folder)
    build(settings, dispatches=editions(7, range(5, 15)), embedder=EMBEDDER, force=True)


def bring_in(folder: Path) -> None:
    """Put an exported store in its place."""
    upkeep.bring_in(folder, folder.with_name("export.dqa"), force=True)


def migrate(folder: Path) -> None:
    """Bring a store of format 2 over."""
    upkeep.migrate(folder)


def first_add(folder: Path) -> None:
    """Add to a place where there is no store yet."""
    put(folder, editions(1, range(3)))


def scenarios(kept: State) -> dict[str, tuple[Change, list[State | None]]]:
    """Each change by name, with the contents that may stand after it: the old one first, the new one last."""
    new, changed = texts(editions(1, range(20, 23))), texts(editions(1, range(3)))
    gone = ("d003", "d004")
    without = {name: text for name, text in kept.items() if name not in gone}
    unsynced = {name: text for name, text in kept.items() if name != "f0"}
    synced = unsynced | texts([dispatch("f1", 1), dispatch("f9", 1)])
    whole = texts(editions(7, range(5, 15)))
    brought = texts(editions(3, range(6)))
    return {
        "add": (lambda folder: put(folder, editions(1, range(20, 23))), [kept, kept | new]),
        "first add": (first_add, [None, {}, changed]),
        "replace": (lambda folder: put(folder, editions(1, range(3))), [kept, kept | changed]),
        "remove": (lambda folder: put(folder, [], gone), [kept, without]),
        "sync": (sync, [kept, unsynced, synced]),
        "rebuild": (rebuild, [kept, whole]),
        "import": (bring_in, [kept, brought]),
        "migrate": (migrate, [None, kept]),
    }


def prepare(folder: Path, place: Path) -> tuple[State, Path, Path]:
    """A store to change, the same in format 2, and what is in both; to be copied to `place`, where they were made."""
    store, old = folder / "new" / "store", folder / "old" / "store"
    place.mkdir()
    old.parent.mkdir()
    kept = start(place / "store")
    shutil.move(place, store.parent)
    other = folder / "other"
    build(replace(Settings(), index=other), dispatches=editions(3, range(6)), embedder=EMBEDDER)
    upkeep.export(other, store.with_name("export.dqa"))
    _as_format_2(store, old)
    return kept, store, old


def _as_format_2(store: Path, old: Path) -> None:
    old.mkdir()
    with closing(Store(store)) as opened, closing(sqlite3.connect(old / "dispatches.sqlite")) as db, db:
        db.executescript(
            """PRAGMA application_id = 1146175793; PRAGMA user_version = 2;
            CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE dispatch (id TEXT, text TEXT, language TEXT, slug TEXT, headline TEXT, agency TEXT,
                byline TEXT, credit TEXT, dateline TEXT, filed_at TEXT, version TEXT, version_of TEXT, status TEXT,
                digest BLOB NOT NULL, PRIMARY KEY (id));
            CREATE TABLE passage (id INTEGER PRIMARY KEY, dispatch_id TEXT, paragraph INTEGER, start INTEGER,
                "end" INTEGER, sentences TEXT, vector BLOB, sentence_vectors BLOB, digest BLOB NOT NULL);"""
        )
        lasting = ("model", "fingerprint", "lane", "dim", "splitting", "passage_tokens")
        told = {name: getattr(opened.manifest, name) for name in lasting} | {"generation": "g"}
        told["digest"] = digest_of(sorted(told.items())).hex()
        db.executemany("INSERT INTO manifest VALUES (?, ?)", [(key, json.dumps(value)) for key, value in told.items()])
        fields = [row[1] for row in db.execute("PRAGMA table_info(dispatch)")][:-1]
        for row in opened.rows(fields):
            db.execute(f"INSERT INTO dispatch VALUES ({', '.join('?' * 14)})", (*row, digest_of(row)))
        query = 'SELECT id, dispatch_id, paragraph, start, "end", sentences, vector, sentence_vectors FROM passage'
        for number, *rest in opened.truth.query(query):
            db.execute("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *rest, digest_of(rest)))


def fresh(source: Path, target: Path) -> Path:
    """A copy of a prepared folder, with its store's path."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source.parent, target)
    return target / "store"
