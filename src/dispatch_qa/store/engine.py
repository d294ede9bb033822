"""Vector search behind one small protocol, and its FAISS implementation.

An engine is derived: it holds ids and vectors, never text, and can be made again from the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Engine(Protocol):
    """Search over unit vectors by inner product, which for unit vectors is the cosine."""

    def search(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]:
        """The `n` nearest to `query` (dim,), as (id, cosine in [-1, 1]), best first; equals by id."""


class FaissEngine:
    """Exact search by FAISS (`IndexFlatIP` behind an id map)."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> FaissEngine:
        """An engine over `vectors`, float32 (n, dim), rows of unit length, known by `ids`, int64 (n,)."""
        import faiss

        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(vectors, ids)
        return cls(index)

    @classmethod
    def from_bytes(cls, data: bytes) -> FaissEngine:
        """The engine that `to_bytes` gave. Only for bytes whose checksum was verified: FAISS verifies nothing."""
        import faiss
        import numpy as np

        return cls(faiss.deserialize_index(np.frombuffer(data, np.uint8)))

    def to_bytes(self) -> bytes:
        """The index in FAISS's own format."""
        import faiss

        return bytes(faiss.serialize_index(self._index).tobytes())

    def search(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]:
        import numpy as np

        if not self._index.ntotal:
            return []
        scores, ids = self._index.search(query[None, :], min(n, self._index.ntotal))
        pairs = zip(ids[0].tolist(), np.clip(scores[0], -1, 1).tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
