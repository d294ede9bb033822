from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from dispatch_qa.store.engine import EXACT_UP_TO, SHORTLIST, FaissEngine, is_exact, shortlist

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

DIM, ROWS = 384, 20_000


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


# What is left out, and what changes


@pytest.mark.parametrize("every", [2, 7, 5_000])
def test_only_what_is_let_through_is_found(engine: FaissEngine, ids: Ids, vectors: Floats, every: int) -> None:
    among = np.zeros(int(ids.max()) + 1, np.bool_)
    among[ids[::every]] = True
    for query in clustered(2, 5):
        cosines = np.full(ROWS, -2.0)
        cosines[::every] = vectors[::every] @ query
        found = engine.search(query, 50, among)
        assert len(found) == min(50, len(ids[::every]))
        assert {passage_id for passage_id, _ in found} <= set(ids[::every].tolist())
        assert found[0][1] == pytest.approx(cosines.max(), abs=0.003)
        best = ids[np.argsort(-cosines)[: min(10, len(found))]]
        assert {passage_id for passage_id, _ in found} >= set(best.tolist())
    assert engine.search(query, 10, np.zeros_like(among)) == []


def test_what_goes_is_not_found_and_what_comes_is(engine: FaissEngine, ids: Ids, vectors: Floats) -> None:
    gone, new = ids[1_000:3_000], clustered(9, 50)
    came = np.arange(50, dtype=np.int64) + int(ids.max()) + 1
    changed = engine.changed(gone, came, new)
    assert changed.exact == engine.exact
    assert changed.ids.tolist() == [*np.setdiff1d(ids, gone).tolist(), *came.tolist()]
    again = FaissEngine.from_bytes(changed.to_bytes())
    for one in (changed, again):
        for passage_id, row in zip(came.tolist(), new, strict=True):
            assert passage_id in dict(one.search(row, 10))
        found = {passage_id for row in vectors[1_000:1_020] for passage_id, _ in one.search(row, 50)}
        assert found & set(gone.tolist()) == set()
        assert ids[5_000] in dict(one.search(vectors[5_000], 10))
    assert ids[1_500] in dict(engine.search(vectors[1_500], 10))  # The engine itself stays as it was.


@pytest.mark.parametrize("left", [2_999, 2_976, 1_025])
def test_what_goes_from_many_blocks_of_codes_leaves_the_others(left: int) -> None:
    # At 4 dimensions FAISS's own check of places ends at 1,024 vectors, at 384 at 98,304.
    ids, vectors = np.arange(3_000, dtype=np.int64), unit(np.random.default_rng(3).standard_normal((3_000, 4)))
    changed = FaissEngine.build(ids, vectors, exact=False).changed(ids[left:], ids[:0], vectors[:0])
    assert changed.ids.tolist() == list(range(left))
    came = changed.changed(ids[:0], ids[left:], vectors[left:])
    for row in (0, left - 1, left, 2_999):
        assert row in dict(came.search(vectors[row], 20))


def test_a_full_disk_is_the_error_that_the_store_knows() -> None:
    def full(data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        FaissEngine.build(np.zeros(1, np.int64), clustered(7, 1)).write(full)
