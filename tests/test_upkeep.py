from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEmbedder
from test_archive import BRIDGE, PORT
from test_store import MANIFEST, everything, names, one_each, opened, tamper, unit_rows

from dispatch_qa import Dispatch, Settings, build
from dispatch_qa.archive import Archive
from dispatch_qa.errors import InputRejected, StoreDamaged, StoreError, StoreMissing, StoreOutdated
from dispatch_qa.store import TRUTH, Store, upkeep
from dispatch_qa.store import build as build_store
from dispatch_qa.store.schema import FORMAT, digest_of


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A store that has seen adding, changing and removing."""
    wire = tmp_path / "wire"
    wire.mkdir()
    for name, text in {"port": PORT, "bridge": BRIDGE, "gone": "Rien de tout cela."}.items():
        (wire / f"{name}.txt").write_text(text, encoding="utf-8")
    kept = Archive(settings, FakeEmbedder())
    kept.add([wire])
    (wire / "port.txt").write_text(PORT.replace("mardi", "jeudi"), encoding="utf-8")
    (wire / "gone.txt").unlink()
    kept.sync(wire)
    return settings.index


def test_all_is_well_with_a_store_that_was_changed(folder: Path) -> None:
    assert upkeep.check(folder) == ([], [])
    assert upkeep.repair(folder) == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE dispatch SET text = text || ' ' WHERE id = 'port'", "the dispatch 'port' is not the one"),
        ("UPDATE passage SET paragraph = 7 WHERE id = 1", "passage 1 is not the one"),
        ("DELETE FROM passage WHERE id = 1", "it should have 2 dispatches and 4 passages"),
        ("DELETE FROM dispatch WHERE id = 'port'", "it should have 2 dispatches"),
        (
            """INSERT INTO passage SELECT 99, dispatch_id, 9, start, "end", sentences, vector, sentence_vectors, digest
               FROM passage WHERE id = 1""",
            "passage 99 is not the one",
        ),
    ],
)
def test_a_changed_truth_is_found_and_not_repaired(folder: Path, statement: str, what: str) -> None:
    tamper(folder, statement)
    wrong, derived = upkeep.check(folder)
    assert any(what in line for line in wrong)
    assert derived == []
    with pytest.raises(StoreDamaged, match="not only in what is derived"):
        upkeep.repair(folder)


def forged(folder: Path, column: str, value: object) -> None:
    """Change a passage and give it the digest that fits, as an attacker or a bug of ours would."""
    with closing(sqlite3.connect(folder / "dispatches.sqlite")) as db, db:
        db.execute(f"UPDATE passage SET {column} = ? WHERE id = 1", (value,))
        *values, _ = db.execute("SELECT * FROM passage WHERE id = 1").fetchone()
        db.execute("UPDATE passage SET digest = ? WHERE id = 1", (digest_of(values),))


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("vector", (np.ones(256, "<f4") / 4).tobytes(), "not of length 1"),
        ("start", 3, "lies outside its text"),
        ('"end"', 10_000, "lies outside its text"),
        ("paragraph", 5, "do not add up"),
    ],
)
def test_what_has_a_digest_but_makes_no_sense_is_found(folder: Path, column: str, value: object, what: str) -> None:
    forged(folder, column, value)
    assert any(what in line for line in upkeep.check(folder)[0])


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO lexical (rowid, terms) VALUES (99, 'wrong')", "the index of words"),
        ("INSERT INTO lexical (lexical) VALUES ('delete-all')", "the index of words"),
        ("DELETE FROM likeness", "the keys of 'bridge'"),
    ],
)
def test_what_is_derived_in_the_truth_is_mended(folder: Path, statement: str, what: str) -> None:
    before = everything(folder)
    tamper(folder, statement)
    wrong, derived = upkeep.check(folder)
    assert wrong == []
    assert any(what in line for line in derived)
    assert upkeep.repair(folder) == derived
    assert upkeep.check(folder) == ([], [])
    assert everything(folder) == before


def test_an_index_inside_the_database_is_mended(folder: Path) -> None:
    before, path = everything(folder), folder / TRUTH
    with closing(sqlite3.connect(path)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'dispatch_filter'")
        ((size,),) = db.execute("PRAGMA page_size")
    data = path.read_bytes()
    start, end = (page - 1) * size, page * size
    assert b"bridge" in data[start:end]
    path.write_bytes(data[:start] + data[start:end].replace(b"bridge", b"brIdge") + data[end:])
    wrong, (derived,) = upkeep.check(folder)
    assert (wrong, derived.partition(":")[0]) == ([], "an index inside the database is wrong")
    upkeep.repair(folder)
    assert upkeep.check(folder) == ([], [])
    assert everything(folder) == before


@pytest.mark.parametrize("name", ["passages.faiss", "passages.json"])
def test_a_harmed_search_index_is_mended(folder: Path, name: str) -> None:
    before = everything(folder)
    (folder / name).write_bytes(b"x" + (folder / name).read_bytes()[1:])
    assert upkeep.check(folder) == ([], ["the search index is missing or not the store's"])
    upkeep.repair(folder)
    assert upkeep.check(folder) == ([], [])
    assert everything(folder) == before


def test_a_search_index_with_a_checksum_but_other_vectors_is_found(folder: Path) -> None:
    from dispatch_qa.store import index
    from dispatch_qa.store.engine import FaissEngine

    with opened(folder) as store:
        ids, vectors = store.truth.vectors()
        index.write(folder, FaissEngine.build(ids, vectors[::-1].copy()), len(ids), store.manifest)
    assert upkeep.check(folder) == ([], ["the search index holds other vectors than the store"])


# Moving a store


def test_a_store_comes_back_from_its_one_file(folder: Path, tmp_path: Path) -> None:
    before = everything(folder)
    assert upkeep.export(folder, tmp_path / "all.dqa") == 2
    assert upkeep.bring_in(tmp_path / "other", tmp_path / "all.dqa") == 2
    assert everything(tmp_path / "other") == before
    assert upkeep.check(tmp_path / "other") == ([], [])
    with pytest.raises(InputRejected, match="is there already"):
        upkeep.export(folder, tmp_path / "all.dqa")


def test_an_import_drops_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    upkeep.export(folder, tmp_path / "all.dqa")
    build_store(tmp_path / "other", MANIFEST, one_each(unit_rows(1, 3)))
    before = everything(tmp_path / "other")
    with pytest.raises(InputRejected, match="--force"):
        upkeep.bring_in(tmp_path / "other", tmp_path / "all.dqa")
    assert everything(tmp_path / "other") == before
    upkeep.bring_in(tmp_path / "other", tmp_path / "all.dqa", force=True)
    assert everything(tmp_path / "other") == everything(folder)


@pytest.mark.parametrize("step", range(0, 40, 3))
def test_a_damaged_export_is_not_imported(folder: Path, tmp_path: Path, step: int) -> None:
    upkeep.export(folder, tmp_path / "all.dqa")
    data = bytearray((tmp_path / "all.dqa").read_bytes())
    with closing(sqlite3.connect(tmp_path / "all.dqa")) as db:
        ((vector,),) = db.execute("SELECT vector FROM passage WHERE id = 1")
    data[data.index(vector) + step] ^= 1
    (tmp_path / "all.dqa").write_bytes(data)
    with pytest.raises(StoreError, match=r"is not a whole store|is damaged"):
        upkeep.bring_in(tmp_path / "other", tmp_path / "all.dqa")
    assert not (tmp_path / "other" / "dispatches.sqlite").exists()


def test_what_is_no_export_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x" * 200)
    before = everything(folder)
    for file in (tmp_path / "note.txt", tmp_path / "none"):
        with pytest.raises((StoreError, InputRejected)):
            upkeep.bring_in(folder, file, force=True)
    assert everything(folder) == before
    with pytest.raises(StoreMissing):
        upkeep.export(tmp_path / "nowhere", tmp_path / "x.dqa")


# Earlier formats

FORMAT_2 = """
PRAGMA application_id = 1146175793;
PRAGMA user_version = 2;
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dispatch (id TEXT, text TEXT, language TEXT, slug TEXT, headline TEXT, agency TEXT, byline TEXT,
    credit TEXT, dateline TEXT, filed_at TEXT, version TEXT, version_of TEXT, status TEXT, digest BLOB NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE passage (id INTEGER PRIMARY KEY, dispatch_id TEXT NOT NULL, paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL, vector BLOB NOT NULL,
    sentence_vectors BLOB NOT NULL, digest BLOB NOT NULL);
"""


def format_2(settings: Settings, folder: Path) -> None:
    """The store of `settings` as format 2 had it."""
    folder.mkdir()
    with opened(settings.index) as store, closing(sqlite3.connect(folder / "dispatches.sqlite")) as db, db:
        db.executescript(FORMAT_2)
        manifest = store.manifest
        lasting = ("model", "fingerprint", "lane", "dim", "splitting", "passage_tokens")
        told = {name: getattr(manifest, name) for name in lasting} | {"generation": "g"}
        told["digest"] = digest_of(sorted(told.items())).hex()
        db.executemany("INSERT INTO manifest VALUES (?, ?)", [(key, json.dumps(value)) for key, value in told.items()])
        fields = [row[1] for row in db.execute("PRAGMA table_info(dispatch)")][:-1]
        for values in store.rows(fields):
            db.execute(f"INSERT INTO dispatch VALUES ({', '.join('?' * 14)})", (*values, digest_of(values)))
        query = 'SELECT id, dispatch_id, paragraph, start, "end", sentences, vector, sentence_vectors FROM passage'
        for number, *rest in store.truth.query(query):
            db.execute("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *rest, digest_of(rest)))


def test_a_store_of_format_2_is_brought_over_without_the_model(
    settings: Settings, tmp_path: Path, dispatch: Dispatch
) -> None:
    # Format 2 kept no marks.
    old = [replace(dispatch, marks=()), Dispatch("z", "Noch ein Text.", "de", slug="Z")]
    build(settings, dispatches=old, embedder=FakeEmbedder())
    format_2(settings, tmp_path / "old")
    with pytest.raises(
        StoreOutdated, match=rf"has format 2, this version reads {FORMAT}; .*dispatch-qa migrate --index"
    ):
        Store(tmp_path / "old")
    assert upkeep.migrate(tmp_path / "old") == 2
    assert everything(tmp_path / "old") == everything(settings.index)
    assert upkeep.check(tmp_path / "old") == ([], [])
    assert upkeep.migrate(tmp_path / "old") is None


def test_a_damaged_store_of_format_2_is_left_as_it_is(fake_store: Settings, tmp_path: Path) -> None:
    format_2(fake_store, tmp_path / "old")
    tamper(tmp_path / "old", "UPDATE passage SET paragraph = 7 WHERE id = 3")
    before = (tmp_path / "old" / "dispatches.sqlite").read_bytes()
    with pytest.raises(StoreDamaged, match=r"the dispatch 'dispatch\.fr'"):
        upkeep.migrate(tmp_path / "old")
    assert (tmp_path / "old" / "dispatches.sqlite").read_bytes() == before
    assert names(tmp_path / "old") == {"dispatches.sqlite", "writer.lock"}


def test_what_is_no_store_is_not_brought_over(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        upkeep.migrate(tmp_path)
    shutil.copy(__file__, tmp_path / "dispatches.sqlite")
    with pytest.raises(StoreError):
        upkeep.migrate(tmp_path)
