from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FakeEmbedder
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dispatch_qa import Settings, build
from dispatch_qa.errors import (
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreLocked,
    StoreMissing,
    StoreOutdated,
)
from dispatch_qa.records import Dispatch, Passage, Span
from dispatch_qa.split import SPLITTING, split
from dispatch_qa.store import Embedded, Manifest, Store
from dispatch_qa.store import build as build_store

Floats = npt.NDArray[np.float32]
Content = list[tuple[Dispatch, list[Embedded]]]

FILES = {"dispatches.sqlite", "passages.faiss", "passages.json", "writer.lock"}
ANY = np.ones(FakeEmbedder().dim, np.float32)
MANIFEST = Manifest("fake", "fake/fake", "fake", 8, SPLITTING, 256)


def unit_rows(seed: int, rows: int, dim: int = 8) -> Floats:
    drawn = np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def one_each(vectors: Floats) -> Content:
    """A dispatch of one sentence for each vector."""
    return [
        (
            Dispatch(f"{n:04}", f"{n:04} Kiev a signé."),
            [(Passage(f"{n:04}", 1, Span(0, 18), (Span(0, 18),)), row, row[None, :])],
        )
        for n, row in enumerate(vectors)
    ]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@contextmanager
def opened(folder: Path, warn: Callable[[str], None] = lambda line: None) -> Iterator[Store]:
    store = Store(folder, warn)
    try:
        yield store
    finally:
        store.close()


def everything(folder: Path) -> object:
    """All that a store holds, and what a search in it gives, as one value to compare."""
    with opened(folder) as store:
        n = store.counts()[1]
        kept = store.passages(store.truth.passage_ids())
        query = kept[0].vector
        found = store.nearest(query, n)
        store.passages(passage_id for passage_id, _ in found)
        return (
            store.manifest,
            list(store.dispatches()),
            [(p.id, p.passage, p.text, p.vector.tobytes(), p.sentence_vectors.tobytes()) for p in kept],
            found,
        )


def tamper(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "dispatches.sqlite")) as db, db:
        db.execute(statement, values)


# What is stored comes back


def test_the_shipped_dispatch_comes_back_as_it_was(
    fake_store: Settings, embedder: FakeEmbedder, dispatch: Dispatch
) -> None:
    passages = split(dispatch, embedder.count_tokens, 256)
    with opened(fake_store.index) as store:
        made = Manifest("fake", "fake/fake", "fake", embedder.dim, SPLITTING, 256)
        now = store.manifest
        expected = replace(made, dispatches=1, passages=11, last=11)
        assert now == replace(expected, generation=now.generation, content=now.content)
        assert store.ids() == ["dispatch.fr"]
        assert store.counts() == (1, 11)
        assert store.dispatch("dispatch.fr") == dispatch
        assert list(store.dispatches()) == [dispatch]
        assert store.dispatch("dispatch") is None
        found = store.passages(range(1, 12))
    assert [stored.passage for stored in found] == passages
    assert [stored.text for stored in found] == [passage.span.of(dispatch.text) for passage in passages]
    vectors = embedder.passages([stored.text for stored in found])
    assert np.array_equal(np.stack([stored.vector for stored in found]), vectors)
    for stored in found:
        inside = embedder.passages([span.of(dispatch.text) for span in stored.passage.sentences])
        assert stored.sentence_vectors.shape == inside.shape
        assert np.abs(stored.sentence_vectors - inside).max() < 2**-11
        assert stored.vector.dtype == stored.sentence_vectors.dtype == np.float32


def test_only_the_stores_own_files_are_left_by_a_build(fake_store: Settings) -> None:
    assert names(fake_store.index) == FILES


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=60)
MAYBE = st.none() | TEXTS


@st.composite
def contents(draw: st.DrawFn) -> Content:
    content: Content = []
    for dispatch_id in draw(st.lists(TEXTS, min_size=1, max_size=4, unique=True)):
        text = draw(TEXTS)
        names = (
            "slug",
            "headline",
            "agency",
            "byline",
            "credit",
            "dateline",
            "filed_at",
            "version",
            "version_of",
            "status",
        )
        wire = replace(Dispatch("", ""), **{name: draw(MAYBE) for name in names})  # type: ignore[arg-type]
        edges = sorted(
            draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6) if len(text) > 1 else st.just({0, 1}))
        )
        spans = [Span(start, end) for start, end in pairwise(edges)]
        cut = draw(st.integers(1, len(spans)))
        groups = [group for group in (spans[:cut], spans[cut:]) if group]
        rows = unit_rows(draw(st.integers(0, 10_000)), len(groups) + len(spans))
        passages: list[Embedded] = []
        for number, group in enumerate(groups):
            passage = Passage(dispatch_id, number + 1, Span(group[0].start, group[-1].end), tuple(group))
            passages.append((passage, rows[number], rows[len(groups) : len(groups) + len(group)]))
        marks = tuple((name, draw(st.sampled_from(spans))) for name in draw(st.lists(TEXTS, max_size=3)))
        pages = tuple(draw(st.lists(st.integers(0, len(text)), max_size=3)))
        language = draw(st.sampled_from(["fr", "und"]))
        content.append(
            (replace(wire, id=dispatch_id, text=text, language=language, marks=marks, pages=pages), passages)
        )
    return content


@hypothesis_settings(deadline=None, max_examples=30)
@given(contents())
def test_anything_comes_back_as_it_was(content: Content) -> None:
    with tempfile.TemporaryDirectory() as folder:
        build_store(Path(folder), MANIFEST, content)
        with opened(Path(folder)) as store:
            assert {dispatch.id: dispatch for dispatch in store.dispatches()} == {d.id: d for d, _ in content}
            assert store.ids() == sorted(dispatch.id for dispatch, _ in content)
            given_rows = [(dispatch, *row) for dispatch, rows in content for row in rows]
            found = store.passages(range(1, len(given_rows) + 1))
            for stored, (dispatch, passage, vector, inside) in zip(found, given_rows, strict=True):
                assert stored.passage == passage
                assert stored.text == passage.span.of(dispatch.text)
                assert np.array_equal(stored.vector, vector)
                assert np.array_equal(stored.sentence_vectors, inside.astype(np.float16))


# Search


def test_the_text_of_every_passage_finds_that_passage_first(fake_store: Settings, embedder: FakeEmbedder) -> None:
    with opened(fake_store.index) as store:
        for stored in store.passages(range(1, 12)):
            (best, score), *others = store.nearest(embedder.queries([stored.text])[0], 11)
            assert best == stored.id
            assert score == pytest.approx(1, abs=1e-5)
            assert score <= 1
            assert len(others) == 10


@hypothesis_settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 120), n=st.integers(1, 130))
def test_search_agrees_with_numpy(seed: int, rows: int, n: int) -> None:
    vectors, (query,) = unit_rows(seed, rows), unit_rows(seed + 1, 1)
    cosines = vectors @ query
    with tempfile.TemporaryDirectory() as folder:
        build_store(Path(folder), MANIFEST, one_each(vectors))
        with opened(Path(folder)) as store:
            found = store.nearest(query, n)
    assert [passage_id for passage_id, _ in found] == [row + 1 for row in np.argsort(-cosines, kind="stable")[:n]]
    assert [score for _, score in found] == pytest.approx(np.sort(cosines)[::-1][:n].tolist(), abs=1e-6)


def test_passages_that_tie_are_found_in_the_order_of_their_ids(tmp_path: Path) -> None:
    axes = np.eye(8, dtype=np.float32)
    build_store(tmp_path, MANIFEST, one_each(axes[[3, 0, 3, 1, 3, 0]]))
    with opened(tmp_path) as store:
        assert store.nearest(axes[3], 6) == [(1, 1), (3, 1), (5, 1), (2, 0), (4, 0), (6, 0)]
        assert store.nearest(-axes[0], 4) == [(1, 0), (3, 0), (4, 0), (5, 0)]


def test_the_opposite_of_a_passage_scores_minus_one(tmp_path: Path) -> None:
    vectors = unit_rows(3, 1)
    build_store(tmp_path, MANIFEST, one_each(vectors))
    with opened(tmp_path) as store:
        ((passage_id, score),) = store.nearest(-vectors[0], 5)
    assert passage_id == 1
    assert -1 <= score == pytest.approx(-1, abs=1e-6)


def test_two_builds_of_one_content_are_the_same_store(
    settings: Settings, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    other = replace(settings, index=tmp_path / "other")
    build(settings, embedder=embedder)
    build(other, embedder=embedder)
    assert everything(settings.index) == everything(other.index)


def test_a_text_is_read_once_for_all_its_passages(fake_store: Settings) -> None:
    with opened(fake_store.index) as store:
        ids = store.truth.passage_ids()
        assert len(store.passages(ids)) == len(ids) > 5
        assert store.truth._kept_text.cache_info().misses == 1


def test_another_content_or_way_of_making_has_another_generation(tmp_path: Path) -> None:
    content = one_each(unit_rows(1, 3))
    seen = []
    for manifest, kept in [
        (MANIFEST, content),
        (MANIFEST, content[:2]),
        (MANIFEST, one_each(unit_rows(2, 3))),
        (replace(MANIFEST, fingerprint="fake/other"), content),
        (replace(MANIFEST, passage_tokens=255), content),
        (MANIFEST, [(replace(content[0][0], credit="x"), content[0][1]), *content[1:]]),
    ]:
        build_store(tmp_path, manifest, kept)
        with opened(tmp_path) as store:
            seen.append(store.manifest.generation)
    assert len(set(seen)) == 6


# A store that cannot be used


def test_a_missing_store_names_the_command_that_makes_one(tmp_path: Path) -> None:
    for folder in [tmp_path, tmp_path / "nowhere"]:
        with pytest.raises(StoreMissing, match=f"no store in {folder}.*dispatch-qa build --index {folder} PATH"):
            Store(folder)


def test_a_folder_in_the_place_of_the_truth_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "dispatches.sqlite").mkdir()
    with pytest.raises(StoreMissing, match="dispatch-qa build --index"):
        Store(tmp_path)


def test_the_database_of_another_program_is_not_a_store(tmp_path: Path) -> None:
    tamper(tmp_path, "CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreForeign, match=r"another program.*--index"):
        Store(tmp_path)


def test_a_text_file_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "dispatches.sqlite").write_text("Kiev a signé un accord.\n" * 100, encoding="utf-8")
    with pytest.raises(StoreForeign, match="is no database; name another folder with --index"):
        Store(tmp_path)


@pytest.mark.parametrize("left", [0, 1, 50, 99])
def test_a_store_of_which_next_to_nothing_is_left_is_refused(fake_store: Settings, left: int) -> None:
    truth = fake_store.index / "dispatches.sqlite"
    truth.write_bytes(truth.read_bytes()[:left])
    with pytest.raises(StoreDamaged, match=r"it ends in its header.*--index .* --force"):
        Store(fake_store.index)


@pytest.mark.parametrize("left", [600, 4_000, 8_192, 20_000, 40_960])
def test_a_truncated_store_is_damaged(fake_store: Settings, left: int) -> None:
    truth = fake_store.index / "dispatches.sqlite"
    truth.write_bytes(truth.read_bytes()[:left])
    with pytest.raises(StoreDamaged, match=f"dispatch-qa build --index {fake_store.index} --force"):
        everything(fake_store.index)


def test_no_flipped_bit_in_the_header_is_read_as_other_content(fake_store: Settings) -> None:
    truth = fake_store.index / "dispatches.sqlite"
    good, before = truth.read_bytes(), everything(fake_store.index)
    refusals: list[str] = []
    for at in range(100):
        for bit in (0, 3, 7):
            truth.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            try:
                assert everything(fake_store.index) == before
            except StoreError as error:
                refusals.append(str(error))
    # The magic (16 bytes), the format and the program's mark (4 bytes each) at the least.
    assert len(refusals) >= 24 * 3
    assert all("--index" in line for line in refusals)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE dispatch SET text = replace(text, 'Kiev', 'Kyiv')", "the dispatch 'dispatch.fr' is not the one"),
        ("UPDATE dispatch SET text = text || ' '", "the dispatch 'dispatch.fr' is not the one"),
        ("UPDATE passage SET vector = substr(vector, 5)", "passage [0-9]+ is not the one"),
        ("UPDATE manifest SET value = 'x' WHERE key = 'dim'", "its manifest makes no sense"),
        ("UPDATE manifest SET value = '2' WHERE key = 'splitting'", "its manifest is not the one"),
        ("UPDATE passage SET vector = 5", "passage [0-9]+ is not the one"),
        ("UPDATE passage SET paragraph = paragraph + 1", "passage [0-9]+ is not the one"),
        ("UPDATE dispatch SET language = 'en'", "the dispatch 'dispatch.fr' is not the one"),
        ("UPDATE passage SET vector = x''", "passage [0-9]+ is not the one"),
        ("UPDATE passage SET sentence_vectors = substr(sentence_vectors, 3)", "passage [0-9]+ is not the one"),
        (
            "UPDATE passage SET sentence_vectors = CAST(sentence_vectors || sentence_vectors AS BLOB)",
            "passage [0-9]+ is not the one",
        ),
        ("UPDATE passage SET sentences = '[[0, 5], [6, 9]]'", "passage [0-9]+ is not the one"),
        ("UPDATE passage SET sentences = '[[5, 5]]'", "passage [0-9]+ is not the one"),
        ("UPDATE passage SET sentences = '[5'", "passage [0-9]+ is not the one"),
        ('UPDATE passage SET "end" = start', "passage [0-9]+ is not the one"),
        ('UPDATE passage SET "end" = 100000', "passage [0-9]+ is not the one"),
        ("DELETE FROM passage WHERE id = 4", "no passage"),
        ("DELETE FROM manifest WHERE key = 'dim'", "its manifest makes no sense"),
        ("DROP TABLE manifest", "no such table"),
    ],
)
def test_content_changed_behind_our_back_is_damage(fake_store: Settings, statement: str, what: str) -> None:
    tamper(fake_store.index, statement)
    with pytest.raises(StoreDamaged, match=f"{what}.*dispatch-qa build --index {fake_store.index} --force"):
        everything(fake_store.index)


def test_another_format_is_outdated(fake_store: Settings) -> None:
    tamper(fake_store.index, "PRAGMA user_version = 99")
    with pytest.raises(StoreOutdated, match=f"has format 99, .*dispatch-qa build --index {fake_store.index} --force"):
        Store(fake_store.index)


# The search index is derived


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


@pytest.mark.parametrize("name", ["passages.faiss", "passages.json"])
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        lambda path: path.write_bytes(b"\xff\xfe" * 40),
        lambda path: path.write_text("[]"),
    ],
    ids=["missing", "empty", "cut", "longer", "noise", "other"],
)
def test_a_harmed_index_is_made_again_with_one_line(
    fake_store: Settings, name: str, harm: Callable[[Path], object]
) -> None:
    before, files = everything(fake_store.index), names(fake_store.index)
    good = {name: (fake_store.index / name).read_bytes() for name in ("passages.faiss", "passages.json")}
    harm(fake_store.index / name)
    told: list[str] = []
    with opened(fake_store.index, told.append) as store:
        store.nearest(ANY, 3)
        store.nearest(ANY, 3)
    assert len(told) == 1
    assert f"the search index in {fake_store.index} was missing or not the store's: made again and written" in told[0]
    assert everything(fake_store.index) == before
    assert {name: (fake_store.index / name).read_bytes() for name in good} == good
    assert names(fake_store.index) == files


def test_no_flipped_bit_of_the_index_changes_a_result(fake_store: Settings) -> None:
    before = everything(fake_store.index)
    for name, step in (("passages.faiss", 499), ("passages.json", 13)):
        path = fake_store.index / name
        for at in [*range(0, 60, 7), *range(60, path.stat().st_size, step)]:
            path.write_bytes(flipped(path.read_bytes(), at))
            assert everything(fake_store.index) == before


def test_the_index_of_another_store_is_not_used(fake_store: Settings, tmp_path: Path) -> None:
    before = everything(fake_store.index)
    build_store(tmp_path / "other", replace(MANIFEST, dim=len(ANY)), one_each(unit_rows(9, 11, len(ANY))))
    for name in ("passages.faiss", "passages.json"):
        shutil.copy(tmp_path / "other" / name, fake_store.index / name)
    told: list[str] = []
    with opened(fake_store.index, told.append) as store:
        store.nearest(ANY, 3)
    assert len(told) == 1
    assert everything(fake_store.index) == before


def test_a_whole_index_is_used_without_a_word(fake_store: Settings) -> None:
    told: list[str] = []
    with opened(fake_store.index, told.append) as store:
        assert len(store.nearest(ANY, 3)) == 3
    assert told == []


def refuse_writing(*paths: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_store_that_cannot_be_written_still_answers(fake_store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(fake_store.index)
    (fake_store.index / "passages.faiss").unlink()
    monkeypatch.setattr(os, "replace", refuse_writing)
    told: list[str] = []
    with opened(fake_store.index, told.append) as store:
        store.nearest(ANY, 3)
    assert len(told) == 1
    assert "made again for this run only" in told[0]
    assert "Permission denied" in told[0]
    assert everything(fake_store.index) == before


# Building is all or nothing


class Interrupted(Exception):
    """Raised where a build is to fail."""


def test_an_error_midway_leaves_the_old_store_and_nothing_else(fake_store: Settings) -> None:
    before = everything(fake_store.index)
    truth = (fake_store.index / "dispatches.sqlite").read_bytes()

    def interrupted() -> Iterator[tuple[Dispatch, list[Embedded]]]:
        yield from one_each(unit_rows(1, 5))
        raise Interrupted

    with pytest.raises(Interrupted):
        build_store(fake_store.index, MANIFEST, interrupted())
    assert (fake_store.index / "dispatches.sqlite").read_bytes() == truth
    assert everything(fake_store.index) == before
    assert not [name for name in names(fake_store.index) if ".new" in name]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse_writing)
        patch.setattr(os, "replace", refuse_writing)
        with pytest.raises(StoreError, match=f"{tmp_path} could not be written.*still stands.*--index"):
            build_store(tmp_path, MANIFEST, one_each(unit_rows(1, 5)))
    assert names(tmp_path) == {"writer.lock"}


def test_an_index_that_cannot_be_written_does_not_undo_a_build(
    fake_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse_writing)
        build_store(fake_store.index, MANIFEST, one_each(unit_rows(1, 5)))
    with opened(fake_store.index) as store:
        assert store.counts() == (5, 5)
        assert len(store.nearest(unit_rows(1, 5)[0], 9)) == 5
    assert names(fake_store.index) == FILES


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreError, match="could not be written"):
        build_store(tmp_path / "store", MANIFEST, one_each(unit_rows(1, 2)))


def test_what_a_killed_build_left_is_swept_by_the_next(fake_store: Settings) -> None:
    for name in (".dispatches.sqlite.new", ".dispatches.sqlite.new-journal", ".passages.faiss.new"):
        (fake_store.index / name).write_bytes(b"half")
    build_store(fake_store.index, MANIFEST, one_each(unit_rows(1, 5)))
    assert names(fake_store.index) == FILES


def test_a_reader_sees_one_state_until_it_looks_again(settings: Settings) -> None:
    build_store(settings.index, MANIFEST, one_each(unit_rows(1, 5)))
    query = unit_rows(1, 5)[2]
    with opened(settings.index) as reader:
        build_store(settings.index, MANIFEST, one_each(unit_rows(1, 5)))
        with reader.reading():
            first = reader.nearest(query, 5)
            build_store(settings.index, MANIFEST, one_each(unit_rows(2, 7)))
            assert reader.nearest(query, 5) == first
            assert reader.counts() == (5, 5)
            assert np.array_equal(reader.passages([3])[0].vector, query)
            with opened(settings.index) as other:
                assert other.counts() == (7, 7)
        assert reader.counts() == (7, 7)
        assert len(reader.nearest(query, 10)) == 7


def test_a_reader_first_asked_after_a_change_finds_its_own_state(settings: Settings) -> None:
    query = unit_rows(1, 5)[2]
    build_store(settings.index, MANIFEST, one_each(unit_rows(1, 5)))
    with opened(settings.index) as reader:
        build_store(settings.index, MANIFEST, one_each(unit_rows(1, 5)))
        with reader.reading():
            build_store(settings.index, MANIFEST, one_each(unit_rows(2, 7)))
            ((best, score),) = reader.nearest(query, 1)
            assert best == 3
            assert score == pytest.approx(1)


def test_a_stale_journal_is_not_played_into_a_new_build(settings: Settings) -> None:
    build_store(settings.index, MANIFEST, one_each(unit_rows(1, 40)))
    truth, journal = settings.index / "dispatches.sqlite", settings.index / "dispatches.sqlite-journal"
    # A change that was never committed leaves a hot journal: it holds the pages as they were.
    with closing(sqlite3.connect(truth, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE passage SET vector = zeroblob(3000)")
        hot = journal.read_bytes()
        db.execute("ROLLBACK")
    assert len(hot) > 8_192
    new = one_each(unit_rows(2, 40))
    build_store(settings.index, MANIFEST, new)
    expected = everything(settings.index)
    journal.write_bytes(hot)
    build_store(settings.index, MANIFEST, new)
    assert everything(settings.index) == expected
    assert names(settings.index) == FILES


# Other processes

HOLD = """
import sys, time
from pathlib import Path
from dispatch_qa.store.files import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_store_that_another_process_writes_is_locked_and_names_it(fake_store: Settings) -> None:
    before = everything(fake_store.index)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(fake_store.index)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(StoreLocked, match=rf"being written by process {holder.pid} on .+; wait"):
                build_store(fake_store.index, MANIFEST, one_each(unit_rows(1, 2)))
            assert everything(fake_store.index) == before
        finally:
            holder.kill()
    build_store(fake_store.index, MANIFEST, one_each(unit_rows(1, 2)))
    assert names(fake_store.index) == FILES


# Imports once, then forks a builder for every line it reads, so that each starts at once.
BUILDERS = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import faiss
import test_store
for line in sys.stdin:
    if (pid := os.fork()) == 0:
        test_store.build_for_ever(Path(sys.argv[2]))
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""


def build_for_ever(folder: Path) -> None:
    turn = 0
    while True:
        build_store(folder, MANIFEST, one_each(unit_rows(turn % 2, 60)))
        turn += 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_build_killed_at_any_moment_leaves_one_content_or_the_other(tmp_path: Path) -> None:
    expected = []
    for seed in (0, 1):
        build_store(tmp_path / "s", MANIFEST, one_each(unit_rows(seed, 60)))
        expected.append(everything(tmp_path / "s"))
    moments = random.Random(7)
    command = [sys.executable, "-c", BUILDERS, str(Path(__file__).parent), str(tmp_path / "s")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builders:
        assert builders.stdin is not None
        assert builders.stdout is not None
        try:
            for _ in range(16):
                print("go", file=builders.stdin, flush=True)
                pid = int(builders.stdout.readline())
                time.sleep(moments.uniform(0.01, 0.25))
                os.kill(pid, signal.SIGKILL)
                assert builders.stdout.readline() == "gone\n"
                assert everything(tmp_path / "s") in expected
        finally:
            builders.kill()
    build_store(tmp_path / "s", MANIFEST, one_each(unit_rows(0, 60)))
    assert everything(tmp_path / "s") == expected[0]
    assert names(tmp_path / "s") == FILES


def test_an_old_reader_leaves_a_newer_index_alone(fake_store: Settings, tmp_path: Path) -> None:
    old = Store(fake_store.index)
    (tmp_path / "other.txt").write_text("Berlin hat nichts gesagt.", encoding="utf-8")
    build(fake_store, [tmp_path / "other.txt"], embedder=FakeEmbedder(), force=True)
    old.nearest(FakeEmbedder().queries(["armes"])[0], 3)
    warned: list[str] = []
    Store(fake_store.index, warn=warned.append).nearest(FakeEmbedder().queries(["armes"])[0], 3)
    assert warned == []


def test_a_store_without_passages_finds_nothing(tmp_path: Path) -> None:
    build_store(tmp_path, Manifest("fake", "f", "fake", 4, 1, 256), [])
    assert Store(tmp_path).nearest(np.array([1, 0, 0, 0], np.float32), 3) == []


def test_words_find_passages_and_are_counted(fake_store: Settings) -> None:
    opened = Store(fake_store.index)
    (only,) = opened.matching(["155"], 5)
    assert "155 mm" in opened.passages([only])[0].text
    assert opened.frequency(["155", "ukrain", "absent"]) == {"155": 1, "ukrain": 6, "absent": 0}
    assert len(opened.matching(["ukrain", "155"], 3)) == 3
    assert opened.matching([], 3) == opened.matching(["absent"], 3) == []
