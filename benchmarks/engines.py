"""One engine over made vectors, in a process of its own: `build KIND FOLDER` and `query KIND FOLDER`.

KIND is `exact` (faiss's IndexFlatIP, float32) or `ours` (what the store's engine chooses at that size). The two
classes here are the only place that knows how the store's engine is made, written and opened.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.common import tell
from benchmarks.figures import percentile
from dispatch_qa.store.engine import FaissEngine
from dispatch_qa.store.index import opened

NEIGHBOURS = 10
Floats = npt.NDArray[np.float32]


class Kind(Protocol):
    """An engine as it is measured here."""

    def build(self, vectors: Floats) -> None: ...
    def write(self, file: Path) -> None: ...
    def open(self, file: Path) -> None: ...
    def search(self, query: Floats) -> list[int]: ...
    def name(self) -> str: ...


class Exact:
    """Faiss alone: every vector in float32, compared with all."""

    def __init__(self) -> None:
        self._index: Any = None

    def build(self, vectors: Floats) -> None:
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def write(self, file: Path) -> None:
        faiss.write_index(self._index, str(file))

    def open(self, file: Path) -> None:
        self._index = faiss.read_index(str(file))

    def search(self, query: Floats) -> list[int]:
        return [int(i) for i in self._index.search(query[None, :], NEIGHBOURS)[1][0]]

    def name(self) -> str:
        return "IndexFlatIP"


class Ours:
    """What the store uses."""

    def __init__(self) -> None:
        self._engine: Any = None

    def build(self, vectors: Floats) -> None:
        self._engine = FaissEngine.build(np.arange(len(vectors), dtype=np.int64), vectors)

    def write(self, file: Path) -> None:
        data = self._engine.to_bytes()
        file.write_bytes(data)
        file.with_suffix(".sha256").write_text(hashlib.sha256(data).hexdigest(), encoding="ascii")

    def open(self, file: Path) -> None:
        self._engine = opened(file, file.with_suffix(".sha256").read_text(encoding="ascii"))

    def search(self, query: Floats) -> list[int]:
        return [i for i, _ in self._engine.search(query, NEIGHBOURS)]

    def name(self) -> str:
        index: Any = faiss.downcast_index(getattr(self._engine, "_index"))  # noqa: B009
        inner = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index
        return type(inner).__name__


KINDS: dict[str, type[Kind]] = {"exact": Exact, "ours": Ours}


def main() -> None:
    """Do what the first argument says."""
    command, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    {"build": build, "query": query}[command](KINDS[kind](), folder, folder / kind / "index")


def build(engine: Kind, folder: Path, file: Path) -> None:
    """Build and write; tell the seconds of building and the size of the file."""
    vectors = np.load(folder / "vectors.npy")
    start = time.perf_counter()
    engine.build(vectors)
    took = time.perf_counter() - start
    file.parent.mkdir(parents=True, exist_ok=True)
    engine.write(file)
    size = sum(path.stat().st_size for path in file.parent.iterdir())
    tell({"build_s": took, "disk_bytes": size / len(vectors)})


def query(engine: Kind, folder: Path, file: Path) -> None:
    """Open and search; tell times, recall against the true neighbours and the memory that came with it."""
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    n = np.load(folder / "vectors.npy", mmap_mode="r").shape[0]
    small = Exact()
    small.build(np.ascontiguousarray(queries))
    small.search(queries[0])  # what faiss loads and starts on its first search is not the index's memory
    before = resident()
    start = time.perf_counter()
    engine.open(file)
    opened = time.perf_counter() - start
    for one in queries:  # a first round, so that a mapped file is in memory as it would be after some use
        engine.search(one)
    took, right = [], 0
    for one, true in zip(queries, truth, strict=True):
        start = time.perf_counter()
        found = engine.search(one)
        took.append((time.perf_counter() - start) * 1000)
        right += len(set(found) & set(true.tolist()))
    tell(
        {
            "open_s": opened,
            "memory_bytes": max(0, resident() - before) / n,
            "p50_ms": percentile(took, 50),
            "p99_ms": percentile(took, 99),
            "recall": right / truth.size,
            "engine": engine.name(),
        }
    )


def resident() -> int:
    """Bytes of this process that are in memory now, those of mapped files included."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
