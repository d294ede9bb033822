"""Vector search behind one small protocol, and its FAISS implementation.

An engine is derived: it holds ids and vectors, never text, and can be made again from the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mmap import mmap

    import numpy as np
    import numpy.typing as npt

EXACT_UP_TO = 50_000
"""Up to so many vectors every one is compared in full."""

TRAINED_ON = 16_384
"""How many vectors, evenly spaced, the codes are fitted to."""

SHORTLIST = 750
"""How many vectors the short codes propose to the long ones: recall and time of it stand in benchmarks/results."""


class Engine(Protocol):
    """Search over unit vectors by inner product, which for unit vectors is the cosine."""

    def search(
        self, query: npt.NDArray[np.float32], n: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        """The `n` nearest to `query` (dim,), as (id, cosine in [-1, 1]), best first; equals by id.

        With `among`, only those whose id it is true at.

        Where the engine is not exact, a cosine is off by some thousandths at most, and of the `n` the last ones may
        not be the nearest: ask for more than you need and compare them with the vectors of the truth.
        """


def is_exact(n: int, dim: int) -> bool:
    """Whether an index of `n` vectors compares them in full. A short code stands for two dimensions."""
    return n <= EXACT_UP_TO or dim % 2 == 1


def shortlist(n: int, total: int) -> int:
    """How many of `total` vectors the short codes propose where `n` are asked for: at least `n`, at most all."""
    return min(total, max(SHORTLIST, 4 * n))


class FaissEngine:
    """Search by FAISS: exact while that is fast, then by codes.

    The codes are two for each vector. Short ones (4 bits for two dimensions) are all scanned, in registers; those that
    they propose are compared by long ones (8 bits for a dimension). No vector is skipped for lying in the wrong cell,
    which is what costs an inverted file its recall: questions lie apart from the passages that answer them.
    At 384 dimensions a vector takes 192 / 2 + 384 + 8 (its id) = 488 bytes instead of 1,544.
    """

    def __init__(self, index: Any) -> None:
        import faiss

        self._index = index
        self.exact = not isinstance(faiss.downcast_index(index.index), faiss.IndexRefine)
        self._memory: object = None  # what a zero-copy index points into, which must live as long as it

    @classmethod
    def build(
        cls, ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32], *, exact: bool | None = None
    ) -> FaissEngine:
        """An engine over `vectors`, float32 (n, dim), rows of unit length, known by `ids`, int64 (n,).

        The same vectors give the same index. `vectors` is not copied, but for what the index keeps of it.

        Args:
            ids: distinct, from 0.
            vectors: C-contiguous, or else they are copied.
            exact: whether to compare in full; by default what `is_exact` says. Codes need an even dimension and
                16 vectors or more.
        """
        import faiss

        n, dim = vectors.shape
        if is_exact(n, dim) if exact is None else exact:
            index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        else:
            short = faiss.IndexPQFastScan(dim, dim // 2, 4, faiss.METRIC_INNER_PRODUCT)
            long = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
            # Not IndexIDMap2: its map from id to place, which is made when it is read, is not needed.
            index = faiss.IndexIDMap(faiss.IndexRefine(short, long))
        with _one_thread():
            if not index.is_trained:
                index.train(vectors[:: -(-n // TRAINED_ON)])  # FAISS draws and starts from fixed seeds.
            index.add_with_ids(vectors, ids)
        return cls(index)

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The ids of all vectors, int64 (n,), in the order in which they came."""
        import faiss

        return faiss.vector_to_array(self._index.id_map)

    def holds(self, ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> bool:
        """Whether an exact engine's vectors are, bit for bit, those of `vectors`, which `ids` (sorted) tell."""
        import faiss
        import numpy as np

        inner: Any = faiss.downcast_index(self._index.index)
        if not inner.ntotal:
            return True
        own = faiss.rev_swig_ptr(inner.get_xb(), inner.ntotal * inner.d).reshape(-1, inner.d)
        known = np.isin(self.ids, ids)
        return np.array_equal(own[known], vectors[np.searchsorted(ids, self.ids[known])])

    def changed(
        self, gone: npt.NDArray[np.int64], ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]
    ) -> FaissEngine:
        """An engine without the ids `gone` and with `vectors` under `ids`, as `build` takes them.

        Codes are those that were fitted first: `build` anew where most vectors have come since.
        """
        import faiss
        import numpy as np

        own: Any = faiss.deserialize_index(np.frombuffer(self.to_bytes(), np.uint8))
        inner: Any = faiss.downcast_index(own.index)
        if gone.size:
            # The whole cannot remove, but its two halves can, each by place.
            leaves = np.isin(self.ids, gone)
            places = faiss.IDSelectorBatch(np.flatnonzero(leaves))
            for half in [inner] if self.exact else [inner.base_index, inner.refine_index]:
                faiss.downcast_index(half).remove_ids(places)
            if not self.exact:
                _blank_the_rest(faiss.downcast_index(inner.base_index))
            faiss.copy_array_to_vector(self.ids[~leaves], own.id_map)
            inner.ntotal = own.ntotal = int(own.id_map.size())
            if self.exact:
                own.construct_rev_map()
        if ids.size:
            with _one_thread():
                own.add_with_ids(np.ascontiguousarray(vectors), ids)
        return FaissEngine(own)

    @classmethod
    def from_bytes(cls, data: bytes | mmap) -> FaissEngine:
        """The engine that was written. Only for bytes whose checksum was verified: FAISS verifies nothing.

        `data` is not copied, but for the short codes: where it is a mapped file, what is compared is paged in.
        """
        import faiss
        import numpy as np

        memory = np.frombuffer(data, np.uint8)
        reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(memory), memory.size)  # type: ignore[attr-defined]
        engine = cls(faiss.read_index(reader))
        engine._memory = memory
        return engine

    def write(self, write: Callable[[bytes], int]) -> None:
        """Give the index, in FAISS's own format, to `write`, a megabyte at a time; what it raises is raised here."""
        import faiss

        faiss.write_index(self._index, faiss.PyCallbackIOWriter(write, 1 << 20))  # type: ignore[attr-defined]

    def to_bytes(self) -> bytes:
        """The index in FAISS's own format, in one piece."""
        whole = BytesIO()
        self.write(whole.write)
        return whole.getvalue()

    def search(
        self, query: npt.NDArray[np.float32], n: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        import faiss
        import numpy as np

        index: Any = self._index
        parameters: Any = None
        ids, total = None, index.ntotal
        if among is not None:
            ids = self.ids
            # The short codes cannot be told which to leave out: the long ones, or whole vectors, are scanned instead.
            inner: Any = faiss.downcast_index(index.index)
            index = inner if self.exact else faiss.downcast_index(inner.refine_index)
            let = among[ids]
            total = int(np.count_nonzero(let))
            bits = np.packbits(let, bitorder="little")
            selector: Any = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        elif not self.exact and total:
            parameters = faiss.IndexRefineSearchParameters()
            parameters.k_factor = shortlist(min(n, total), total) / min(n, total)
        if not total:
            return []
        with _one_thread():
            scores, found = index.search(query[None, :], min(n, total), params=parameters)
        known = found[0] if ids is None else ids[found[0]]
        pairs = zip(known.tolist(), np.clip(scores[0], -1, 1).tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _blank_the_rest(short: Any) -> None:
    """Clear what FAISS leaves behind the last short code when it removes: what is added next would be mixed with it."""
    import faiss
    import numpy as np

    packer = short.get_CodePacker()
    blocks = faiss.rev_swig_ptr(short.codes.get(), short.codes.size()).reshape(-1, packer.block_size)
    # The last blocks alone: FAISS takes places up to a size of its own, whatever the number of blocks.
    whole, used = divmod(short.ntotal, packer.nvec)
    rest = blocks[whole:]
    blank = np.zeros(packer.code_size, np.uint8)
    for place in range(used, len(rest) * packer.nvec):
        packer.pack_1(blank, place, rest)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS work in the calling thread alone.

    One query is too little to share out, and what one thread adds up, it adds up in the same order every time.
    """
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
