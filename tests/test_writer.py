from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from test_store import MANIFEST, one_each, opened, unit_rows

from dispatch_qa.alike import Triples, jaccard
from dispatch_qa.records import Dispatch, Passage, Span
from dispatch_qa.store import Embedded, Store, Writer, build, changing, upkeep
from dispatch_qa.store.files import TRUTH

NAMES = [f"d{n}" for n in range(8)]


def dispatch(name: str, edition: int, paragraphs: int) -> tuple[Dispatch, list[Embedded]]:
    """A dispatch of some one-sentence paragraphs, with vectors drawn for them."""
    parts = [f"Paragraphe {n} de {name}, édition {edition}." for n in range(paragraphs)]
    text = "\n\n".join(parts)
    rows = unit_rows(edition * 97 + NAMES.index(name), paragraphs)
    passages: list[Embedded] = []
    for number, part in enumerate(parts):
        span = Span(text.index(part), text.index(part) + len(part))
        passages.append((Passage(name, number + 1, span, (span,)), rows[number], rows[number][None]))
    return Dispatch(name, text, "fr"), passages


class Archive(RuleBasedStateMachine):
    """Any run of adding, replacing, removing, undoing and opening again, beside a dict that must agree."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        build(self.folder, MANIFEST, [])
        self.held: dict[str, tuple[Dispatch, list[Embedded]]] = {}
        self.edition = 0
        self.reader: Store | None = None

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if self.reader:
                self.reader.close()
            upkeep.repair(self.folder)  # of what the last to end too soon left behind
            assert upkeep.check(self.folder) == ([], [])
            shutil.rmtree(self.folder)

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), paragraphs=st.integers(1, 3))
    def put(self, names: list[str], paragraphs: int) -> None:
        with changing(self.folder, None) as writer:
            for name in names:
                self.edition += 1
                self.held[name] = dispatch(name, self.edition, paragraphs)
                writer.put(*self.held[name])
            writer.commit()

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    def remove(self, names: list[str]) -> None:
        with changing(self.folder, None) as writer:
            for name in names:
                assert writer.remove(name) == (self.held.pop(name, None) is not None)
            writer.commit()

    @rule(name=st.sampled_from(NAMES))
    def undo(self, name: str) -> None:
        with changing(self.folder, None) as writer:
            writer.put(*dispatch(name, 0, 1))
            writer.remove(NAMES[0])

    @rule(name=st.sampled_from(NAMES))
    def end_before_the_index_is_written(self, name: str) -> None:
        self.edition += 1
        self.held[name] = dispatch(name, self.edition, 2)
        with closing(Writer(self.folder / TRUTH)) as writer:
            writer.put(*self.held[name])
            writer.commit()

    @rule()
    def build_again(self) -> None:
        build(self.folder, MANIFEST, list(self.held.values()))

    @rule()
    def keep_a_reader(self) -> None:
        if self.reader is None:
            self.reader = Store(self.folder)

    @invariant()
    def the_store_holds_what_the_dict_holds(self) -> None:
        if not hasattr(self, "folder"):
            return
        with opened(self.folder) as fresh:
            for store in (fresh, self.reader) if self.reader else (fresh,):
                self.agrees(store)

    def agrees(self, store: Store) -> None:
        assert {one.id: one for one in store.dispatches()} == {name: one for name, (one, _) in self.held.items()}
        vectors = {
            (passage.dispatch_id, passage.span): vector for _, rows in self.held.values() for passage, vector, _ in rows
        }
        kept = store.passages(store.truth.passage_ids())
        assert {(one.passage.dispatch_id, one.passage.span) for one in kept} == set(vectors)
        query = np.full(8, 8**-0.5, np.float32)
        best = sorted(-float(vector @ query) for vector in vectors.values())
        found = store.nearest(query, 5)
        assert [-score for _, score in found] == pytest.approx(best[:5], abs=1e-6)
        assert store.frequency(["paragr"])["paragr"] == len(vectors)
        assert store.counts() == (len(self.held), len(vectors))


TestArchive = Archive.TestCase
TestArchive.settings = hypothesis_settings(deadline=None, max_examples=10, stateful_step_count=10)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    build(tmp_path, MANIFEST, one_each(unit_rows(1, 5)))
    yield tmp_path
    assert upkeep.check(tmp_path) == ([], [])


def test_a_commit_that_fails_leaves_what_was_committed_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *values)  # type: ignore[arg-type]

    with closing(Writer(folder / TRUTH)) as writer:
        before = writer.manifest
        writer.put(*dispatch("d1", 1, 2))
        plain, writer._db = writer._db, sqlite3.connect(folder / TRUTH, factory=Full, isolation_level=None)
        plain.close()
        writer.remove("0001")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            writer.commit()
        writer.undo()
        assert writer.manifest == before


def test_what_was_not_committed_leaves_no_trace(folder: Path) -> None:
    with opened(folder) as store:
        before = store.manifest
    with changing(folder, None) as writer:
        writer.put(*dispatch("d1", 1, 2))
    with opened(folder) as store:
        assert store.manifest == before


def test_adding_and_removing_comes_back_to_the_same_generation(folder: Path) -> None:
    with opened(folder) as store:
        before = store.manifest
    with changing(folder, None) as writer:
        writer.put(*dispatch("d1", 1, 2))
        added = writer.commit()
        writer.remove("d1")
        writer.commit()
    with opened(folder) as store:
        assert store.manifest == replace(before, last=added.last)
        assert added.generation != before.generation


def test_an_id_of_a_passage_is_never_used_twice(folder: Path) -> None:
    for edition in range(3):
        with changing(folder, None) as writer:
            writer.put(*dispatch("d1", edition, 2))
            writer.commit()
    with opened(folder) as store:
        assert store.truth.passage_ids() == [1, 2, 3, 4, 5, 10, 11]


def test_memory_of_generations_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch_qa.store.writer.REMEMBERED", 3)
    with changing(folder, None) as writer:
        for edition in range(6):
            writer.put(*dispatch("d1", edition, 1))
            writer.commit()
        assert len(writer.rows("SELECT * FROM passed")) <= 4


def test_the_passages_of_two_long_dispatches_are_not_compared_each_with_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def counted(one: Triples, other: Triples) -> float:
        compared.append(one)
        return jaccard(one, other)

    monkeypatch.setattr("dispatch_qa.store.writer.jaccard", counted)
    # Every paragraph shares words with every other, as "édition 1".
    first, passages = dispatch("d1", 1, 60)
    copied = [(replace(passage, dispatch_id="d2"), *vectors) for passage, *vectors in passages]
    with changing(folder, None) as writer:
        writer.put(first, passages)
        writer.put(replace(first, id="d2"), copied)  # type: ignore[arg-type]
        writer.commit()
        assert len(writer.rows("SELECT * FROM alike")) == 120
        assert len(writer.rows("SELECT DISTINCT label FROM alike")) == 60
    assert 60 <= len(compared) < 200


def test_an_index_of_an_earlier_build_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    build(tmp_path, MANIFEST, [])
    with changing(tmp_path, None) as writer:
        writer.put(*dispatch("d0", 1, 2))
        writer.commit()
    with changing(tmp_path, None) as writer:
        writer.remove("d0")
        writer.commit()
    # The index now tells of an empty store whose next passage is the third; this build's next one is the first.
    build(tmp_path, MANIFEST, [])
    with closing(Writer(tmp_path / TRUTH)) as writer:
        writer.put(*dispatch("d0", 1, 2))
        writer.commit()
    with opened(tmp_path) as store:
        assert len(store.nearest(np.full(8, 8**-0.5, np.float32), 5)) == 2
