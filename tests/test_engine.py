from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from dispatch_qa import store
from dispatch_qa.store import Manifest
from dispatch_qa.store.engine import EXACT_UP_TO, SHORTLIST, FaissEngine, is_exact, shortlist

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

DIM, ROWS = 384, 20_000
MANIFEST = Manifest("fake", "fake/fake", "fake", DIM, 1, 256, generation="g")


def unit(rows: npt.NDArray[np.float64]) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def clustered(seed: int, rows: int) -> Floats:
    """Rows of the default model's likeness: a narrow cone (random pairs at about .75) of a hundred clusters."""
    shared = np.random.default_rng(0)
    cone, centres = shared.standard_normal((1, DIM)), shared.standard_normal((100, DIM)) * 0.4
    own = np.random.default_rng(seed)
    rows_of = cone + centres[own.integers(0, 100, rows)] + 0.4 * own.standard_normal((rows, DIM))
    return unit(np.asarray(rows_of, dtype=np.float32))


@pytest.fixture(scope="module")
def vectors() -> Floats:
    return clustered(1, ROWS)


@pytest.fixture(scope="module")
def ids() -> Ids:
    """Ids with gaps, so that a place taken for an id is noticed."""
    return np.arange(ROWS, dtype=np.int64) * 3 + 1


@pytest.fixture(scope="module", params=["exact", "codes"])
def engine(request: pytest.FixtureRequest, ids: Ids, vectors: Floats) -> FaissEngine:
    return FaissEngine.build(ids, vectors, exact=request.param == "exact")


# Which index, and how much of it


@pytest.mark.parametrize(
    ("n", "dim", "exact"),
    [
        (0, 384, True),
        (1, 384, True),
        (EXACT_UP_TO, 384, True),
        (EXACT_UP_TO + 1, 384, False),
        (10**7, 384, False),
        (10**7, 385, True),
    ],
)
def test_an_index_is_exact_up_to_a_size_and_where_codes_do_not_fit(n: int, dim: int, exact: bool) -> None:
    assert is_exact(n, dim) is exact


@pytest.mark.parametrize(
    ("n", "total", "expected"),
    [
        (1, 10**6, SHORTLIST),
        (SHORTLIST // 4, 10**6, SHORTLIST),
        (SHORTLIST, 10**6, 4 * SHORTLIST),
        (10, 20, 20),
        (20, 20, 20),
    ],
)
def test_a_shortlist_holds_enough_and_not_more_than_there_is(n: int, total: int, expected: int) -> None:
    assert shortlist(n, total) == expected


def test_past_the_size_a_vector_takes_under_512_bytes(monkeypatch: pytest.MonkeyPatch, ids: Ids) -> None:
    vectors = clustered(1, 1_001)
    monkeypatch.setattr("dispatch_qa.store.engine.EXACT_UP_TO", 1_000)
    exact = FaissEngine.build(ids[:1_000], vectors[:1_000]).to_bytes()
    codes = FaissEngine.build(ids[:1_001], vectors).to_bytes()
    assert len(exact) > 1_000 * DIM * 4
    assert len(codes) < 1_001 * 512 + 40_000  # what every such index takes: 16 × 384 floats and the ranges


# What is found


def test_it_finds_what_numpy_finds(engine: FaissEngine, ids: Ids, vectors: Floats) -> None:
    queries = clustered(2, 100)
    nearest = ids[np.argsort(-(queries @ vectors.T), axis=1)[:, :10]]
    found = [{passage_id for passage_id, _ in engine.search(query, 50)} for query in queries]
    recall = np.mean([len(kept & set(row)) / 10 for kept, row in zip(found, nearest.tolist(), strict=True)])
    assert recall >= 0.99


def test_cosines_are_right_and_best_first(engine: FaissEngine, vectors: Floats) -> None:
    for query in clustered(2, 20):
        found = engine.search(query, 50)
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
        true = vectors[[(passage_id - 1) // 3 for passage_id, _ in found]] @ query
        assert [score for _, score in found] == pytest.approx(true.tolist(), abs=0.003)


def test_a_vector_finds_itself_first(engine: FaissEngine, ids: Ids, vectors: Floats) -> None:
    for row in range(0, ROWS, 400):
        best, score = engine.search(vectors[row], 10)[0]
        assert best == ids[row]
        assert 0.997 < score <= 1


@pytest.mark.parametrize("exact", [True, False])
def test_equals_come_by_id_and_no_more_than_there_are(exact: bool) -> None:
    vectors = np.repeat(clustered(3, 16), 2, axis=0)
    engine = FaissEngine.build(np.arange(32, dtype=np.int64), vectors, exact=exact)
    for row in range(16):
        assert [passage_id for passage_id, _ in engine.search(vectors[2 * row], 2)] == [2 * row, 2 * row + 1]
    found = engine.search(vectors[0], 100)
    assert sorted(passage_id for passage_id, _ in found) == list(range(32))


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_index_and_one_of_one_vector(rows: int) -> None:
    vectors = clustered(4, 1)
    engine = FaissEngine.build(np.arange(rows, dtype=np.int64), vectors[:rows])
    for same in (engine, FaissEngine.from_bytes(engine.to_bytes())):
        assert [passage_id for passage_id, _ in same.search(vectors[0], 5)] == list(range(rows))


# What is written


def test_the_same_vectors_give_the_same_bytes_whatever_the_threads(ids: Ids, vectors: Floats) -> None:
    threads = faiss.omp_get_max_threads()
    try:
        written = []
        for number in (1, 2, 3):
            faiss.omp_set_num_threads(number)
            written.append(FaissEngine.build(ids, vectors, exact=False).to_bytes())
            assert faiss.omp_get_max_threads() == number
    finally:
        faiss.omp_set_num_threads(threads)
    assert written[0] == written[1] == written[2]


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAPPED_FROM", 1)


@pytest.mark.usefixtures("mapped")
def test_a_mapped_index_finds_the_same(engine: FaissEngine, tmp_path: Path) -> None:
    store._write_index(tmp_path, engine, "g")
    assert isinstance(store._contents(tmp_path / store.INDEX), mmap.mmap)
    again = store._load_index(tmp_path, MANIFEST)
    assert again is not None
    store._write_index(tmp_path, FaissEngine.build(np.zeros(1, np.int64), clustered(5, 1)), "g")  # A newer one.
    for query in clustered(2, 20):
        assert again.search(query, 50) == engine.search(query, 50)


@pytest.mark.usefixtures("mapped")
def test_no_flipped_bit_of_a_mapped_index_reaches_faiss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FaissEngine.build(np.arange(64, dtype=np.int64), clustered(6, 64), exact=False)
    store._write_index(tmp_path, engine, "g")
    good = (tmp_path / store.INDEX).read_bytes()
    monkeypatch.setattr(faiss, "read_index", lambda reader: pytest.fail("FAISS read what was not verified"))
    for at in [*range(0, 60, 7), *range(60, len(good), 499), len(good) - 1]:
        (tmp_path / store.INDEX).write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        assert store._load_index(tmp_path, MANIFEST) is None
    for cut in (b"", good[:-1], good + b"\0"):
        (tmp_path / store.INDEX).write_bytes(cut)
        assert store._load_index(tmp_path, MANIFEST) is None


def test_the_card_tells_the_checksum_of_the_whole_file(tmp_path: Path) -> None:
    engine = FaissEngine.build(np.arange(64, dtype=np.int64), clustered(6, 64), exact=False)
    store._write_index(tmp_path, engine, "g")
    data = (tmp_path / store.INDEX).read_bytes()
    assert data == engine.to_bytes()
    card = json.loads((tmp_path / store.INDEX_CARD).read_text(encoding="utf-8"))
    assert card == {"generation": "g", "sha256": hashlib.sha256(data).hexdigest()}


def test_a_full_disk_is_the_error_that_the_store_knows() -> None:
    def full(data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        FaissEngine.build(np.zeros(1, np.int64), clustered(7, 1)).write(full)
