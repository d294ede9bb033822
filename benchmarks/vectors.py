"""Made vectors for the figures of index search: clustered, random, seeded; they are not text.

`python -m benchmarks.vectors FOLDER N QUERIES` writes vectors.npy, queries.npy and the true ten nearest,
truth.npy. A vector is the unit sum of a cluster's centre and noise; both have most of their length in few
directions, as the vectors of texts do. Queries are drawn like vectors and are not among them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.common import tell

DIM = 384
SEED = 7
PER_CLUSTER = 200
NOISE = 0.7
"""Length of the noise relative to the centre: vectors of one cluster have a cosine of about 0.67."""
DECAY = 0.5
"""Direction i has a spread in proportion to (i + 1) ** -DECAY."""
BLOCK = 50_000
NEIGHBOURS = 10

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Write what is not there yet; tell how near the tenth neighbour is."""
    folder, n, queries = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    done = folder / f"complete-{queries}-{SEED}-{PER_CLUSTER}-{NOISE}-{DECAY}"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(SEED)
        basis = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0].astype(np.float32)
        centres = drawn(rng, max(1, n // PER_CLUSTER), basis)
        vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (n, DIM))
        for at in range(0, n, BLOCK):
            vectors[at : at + BLOCK] = around(rng, centres, min(BLOCK, n - at), basis)
        vectors.flush()
        asked = around(rng, centres, queries, basis)
        np.save(folder / "queries.npy", asked)
        ids, cosines = nearest(vectors, asked)
        np.save(folder / "truth.npy", ids)
        np.save(folder / "tenth.npy", cosines[:, -1])
        done.touch()
    tell({"tenth": float(np.load(folder / "tenth.npy").mean())})


def drawn(rng: np.random.Generator, n: int, basis: Floats) -> Floats:
    """Random unit vectors, float32 (n, dim), most of their length in the first directions of `basis`."""
    spread = (np.arange(DIM, dtype=np.float32) + 1) ** -DECAY
    return unit((rng.standard_normal((n, DIM), np.float32) * spread) @ basis)


def around(rng: np.random.Generator, centres: Floats, n: int, basis: Floats) -> Floats:
    """Unit vectors, float32 (n, dim), each near one of the centres, picked at random."""
    return unit(centres[rng.integers(len(centres), size=n)] + NOISE * drawn(rng, n, basis))


def unit(rows: Floats) -> Floats:
    """The rows, scaled to unit length."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def nearest(vectors: npt.NDArray[np.float32], queries: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """The rows with the largest inner product, best first, with it: (queries, 10) both. Plain NumPy, no index."""
    ids = np.zeros((len(queries), 0), np.int64)
    cosines = np.zeros((len(queries), 0), np.float32)
    for at in range(0, len(vectors), BLOCK):
        products = queries @ vectors[at : at + BLOCK].T
        ids = np.hstack([ids, np.broadcast_to(np.arange(at, at + products.shape[1]), products.shape)])
        cosines = np.hstack([cosines, products])
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
        ids, cosines = np.take_along_axis(ids, order, 1), np.take_along_axis(cosines, order, 1)
    return ids, cosines


if __name__ == "__main__":
    main()
