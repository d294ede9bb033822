from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest
from test_store import MANIFEST, names, one_each, opened, unit_rows

from dispatch_qa.store import Writer, build, index
from dispatch_qa.store.engine import FaissEngine
from dispatch_qa.store.files import INDEX, INDEX_CARD, TRUTH
from dispatch_qa.store.truth import Truth

VECTORS = unit_rows(6, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build(tmp_path, MANIFEST, one_each(VECTORS))
    return tmp_path


@pytest.fixture
def truth(folder: Path) -> Iterator[Truth]:
    with closing(Truth(folder / TRUTH)) as truth:
        yield truth


def codes() -> FaissEngine:
    return FaissEngine.build(np.arange(1, 65, dtype=np.int64), VECTORS, exact=False)


def loaded(folder: Path, truth: Truth) -> index.SearchIndex:
    with truth.reading():
        found = index.load(folder, truth)
    assert found is not None
    return found


@pytest.mark.parametrize("exact", [True, False])
def test_a_mapped_index_finds_the_same(
    folder: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    monkeypatch.setattr(index, "MAPPED_FROM", 1)
    engine = FaissEngine.build(np.arange(1, 65, dtype=np.int64), VECTORS, exact=exact)
    index.write(folder, engine, 64, truth.manifest)
    assert isinstance(index._contents(folder / INDEX), mmap.mmap)
    again = loaded(folder, truth)
    index.write(folder, codes(), 64, truth.manifest)  # Another is renamed onto it.
    for query in unit_rows(2, 20):
        assert again.search(query, 50) == engine.search(query, 50)


def test_no_flipped_bit_of_a_mapped_index_reaches_faiss(
    folder: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MAPPED_FROM", 1)
    index.write(folder, codes(), 64, truth.manifest)
    good = (folder / INDEX).read_bytes()
    monkeypatch.setattr(faiss, "read_index", lambda reader: pytest.fail("FAISS read what was not verified"))
    for at in [*range(0, 60, 7), *range(60, len(good), 499), len(good) - 1]:
        (folder / INDEX).write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        assert index.load(folder, truth) is None
    for cut in (b"", good[:-1], good + b"\0"):
        (folder / INDEX).write_bytes(cut)
        assert index.load(folder, truth) is None


def test_the_card_tells_the_checksum_of_the_whole_file(folder: Path, truth: Truth) -> None:
    engine = codes()
    index.write(folder, engine, 64, truth.manifest)
    data = (folder / INDEX).read_bytes()
    assert data == engine.to_bytes()
    card = json.loads((folder / INDEX_CARD).read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert (card["generation"], card["last"], card["fitted"]) == (truth.manifest.generation, 64, 64)


@pytest.mark.parametrize("change", [{"fitted": 1}, {"last": 5}, {"generation": "x"}, {"extra": 1}, {"sha256": "0"}])
def test_a_changed_card_is_noticed(folder: Path, truth: Truth, change: dict[str, object]) -> None:
    card = json.loads((folder / INDEX_CARD).read_text(encoding="utf-8"))
    (folder / INDEX_CARD).write_text(json.dumps(card | change), encoding="utf-8")
    with truth.reading():
        assert index.load(folder, truth) is None


# An index that lags behind


def put(folder: Path, first: int, vectors: npt.NDArray[np.float32], gone: tuple[str, ...] = ()) -> None:
    """A change by a process that ends before it writes the index."""
    with closing(Writer(folder / TRUTH)) as writer:
        for dispatch_id in gone:
            writer.remove(dispatch_id)
        for dispatch, passages in one_each(np.concatenate([np.zeros((first, 8), np.float32), vectors]))[first:]:
            writer.put(dispatch, passages)
        writer.commit()


def test_what_came_and_went_since_is_seen_without_a_new_index(folder: Path, truth: Truth) -> None:
    before = (folder / INDEX).read_bytes()
    new = unit_rows(7, 3)
    put(folder, 64, new, gone=("0010",))
    found = loaded(folder, truth)
    assert found.engine.ids.size == 64
    for number, row in enumerate(new, start=65):
        ((best, score),) = found.search(row, 1)
        assert best == number
        assert score == pytest.approx(1, abs=1e-6)
    assert 11 not in [passage_id for passage_id, _ in found.search(VECTORS[10], 70)]
    assert len(found.search(VECTORS[10], 70)) == 66
    assert (folder / INDEX).read_bytes() == before


def test_the_next_to_search_writes_what_is_gone_out_of_the_index(folder: Path) -> None:
    put(folder, 64, unit_rows(7, 3), gone=("0010", "0020"))
    told: list[str] = []
    with opened(folder, told.append) as store:
        first = store.nearest(VECTORS[10], 70)
    with opened(folder) as store:
        again = loaded(folder, store.truth)
        second = store.nearest(VECTORS[10], 70)
    assert [passage_id for passage_id, _ in first] == [passage_id for passage_id, _ in second]
    assert told == []
    assert (again.gone.size, again.tail_ids.size) == (0, 0)
    assert again.engine.ids.size == 65
    assert VECTORS[10].tobytes() not in (folder / INDEX).read_bytes()


def test_few_that_came_leave_a_large_index_alone_and_many_do_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / INDEX).read_bytes()
    put(folder, 64, unit_rows(7, 6))
    with opened(folder) as store:
        store.nearest(VECTORS[0], 5)
    assert (folder / INDEX).read_bytes() == before
    put(folder, 70, unit_rows(8, 1))
    with opened(folder) as store:
        store.nearest(VECTORS[0], 5)
    assert (folder / INDEX).read_bytes() != before


def test_an_index_of_another_history_is_not_mended(folder: Path, tmp_path: Path) -> None:
    kept = {name: (folder / name).read_bytes() for name in (INDEX, INDEX_CARD)}
    build(folder, MANIFEST, one_each(unit_rows(1, 64)))
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    with closing(Truth(folder / TRUTH)) as truth, truth.reading():
        assert index.load(folder, truth) is None
    assert ".new" not in "".join(names(folder))


def test_growing_past_the_exact_size_gives_codes_and_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch_qa.store.engine.EXACT_UP_TO", 70)
    put(folder, 64, unit_rows(7, 10))
    with opened(folder) as store:
        store.nearest(VECTORS[0], 5)
        assert not loaded(folder, store.truth).engine.exact
    put(folder, 74, unit_rows(8, 0), gone=tuple(f"{n:04}" for n in range(10)))
    with opened(folder) as store:
        store.nearest(VECTORS[0], 5)
        assert loaded(folder, store.truth).engine.exact
