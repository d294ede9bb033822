"""The search index of a store: derived, checksummed, and mended where it lags behind the truth.

The file carries, in its card, its SHA-256 and the generation of the truth that it was made from. It may lag: the
passages that came since are few, and are compared one by one; what is gone since is left out. So adding to a large
store does not write its index anew. Where nothing can be told of it, it is made again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.store.engine import FaissEngine, is_exact
from dispatch_qa.store.files import INDEX, INDEX_CARD, replacing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dispatch_qa.store.schema import Manifest
    from dispatch_qa.store.truth import Truth

MAPPED_FROM = 1 << 27
"""An index file of so many bytes is mapped. A smaller one is read, in a tenth of a second or so, and then nothing
that happens to the file can reach a search."""

LAG = 1_000
"""So many passages, and a tenth of all, may be missing from the file."""

Card = dict[str, Any]


class SearchIndex:
    """Search over the passages of one generation: those in the index file, and those that it lacks.

    `truth` must be reading that generation.
    """

    def __init__(self, engine: FaissEngine, card: Card, truth: Truth) -> None:
        import numpy as np

        manifest = truth.manifest
        self.generation = manifest.generation
        self.engine, self.card = engine, card
        same = card["generation"] == manifest.generation
        self.tail_ids, self.tail = truth.vectors(after=manifest.last if same else card["last"])
        self.gone = np.zeros(0, np.int64)
        if len(engine.ids) + len(self.tail_ids) != manifest.passages:
            self.gone = np.setdiff1d(engine.ids, np.array(truth.passage_ids(), np.int64))

    def search(
        self, query: npt.NDArray[np.float32], n: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        """As `Engine.search`."""
        import numpy as np

        gone = set(self.gone.tolist())
        found = [pair for pair in self.engine.search(query, n + len(gone), among) if pair[0] not in gone]
        if self.tail_ids.size:
            let = slice(None) if among is None else among[self.tail_ids]
            cosines = np.clip(self.tail[let] @ query, -1, 1)
            found += zip(self.tail_ids[let].tolist(), cosines.tolist(), strict=True)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:n]

    @property
    def lags(self) -> bool:
        """Whether the file should be written anew."""
        return bool(self.gone.size) or self.tail_ids.size > min(LAG, len(self.engine.ids) // 10)

    def whole(self, truth: Truth) -> tuple[FaissEngine, int]:
        """An engine over all passages of this generation, and how many vectors its codes were fitted to."""
        total = truth.manifest.passages
        exact = is_exact(total, truth.manifest.dim)
        fitted: int = self.card["fitted"]
        if exact != self.engine.exact or (not exact and total > 2 * fitted):
            return built(truth)
        return self.engine.changed(self.gone, self.tail_ids, self.tail), total if exact else fitted


def built(truth: Truth) -> tuple[FaissEngine, int]:
    """An engine over all passages, from their vectors, and how many there are."""
    ids, vectors = truth.vectors()
    return FaissEngine.build(ids, vectors), len(ids)


def load(folder: Path, truth: Truth, known: SearchIndex | None = None) -> SearchIndex | None:
    """The search index of the generation that `truth` reads, or `None` where the file is not that store's.

    Args:
        known: one that was loaded before, whose file need not be read again where it is still the same.
    """
    try:
        card: Card = json.loads((folder / INDEX_CARD).read_text(encoding="utf-8"))
        if not _fits(card, truth):
            return None
        if known is not None and known.card == card:
            return SearchIndex(known.engine, card, truth)
        engine = opened(folder / INDEX, card["sha256"])
    except (OSError, ValueError):
        return None
    return SearchIndex(engine, card, truth) if engine else None


def opened(file: Path, sha256: str) -> FaissEngine | None:
    """The engine in a file, mapped where it is large; `None` where its SHA-256 is another. Raises `OSError`."""
    data = _contents(file)
    if sha256 != hashlib.sha256(data).hexdigest():
        return None
    engine = FaissEngine.from_bytes(data)
    if sys.platform == "linux" and isinstance(data, mmap.mmap):
        # The checksum touched every page and FAISS has copied some: from here on only what a search needs counts.
        data.madvise(mmap.MADV_DONTNEED)
    return engine


def card_of(manifest: Manifest, fitted: int, sha256: str = "") -> Card:
    """What is told of an index over all passages of a generation; `sha256` is its file's, if it has one."""
    card: Card = {"generation": manifest.generation, "last": manifest.last, "fitted": fitted, "sha256": sha256}
    return card | {"digest": _digest_of(card)}


def write(folder: Path, engine: FaissEngine, fitted: int, manifest: Manifest) -> None:
    """Write the file and its card, each whole."""
    digest = hashlib.sha256()
    with replacing(folder / INDEX) as file:

        def write_part(data: bytes) -> int:
            digest.update(data)
            return file.write(data)

        engine.write(write_part)
    card = card_of(manifest, fitted, digest.hexdigest())
    with replacing(folder / INDEX_CARD) as file:
        file.write((json.dumps(card, indent=1) + "\n").encode())


def _fits(card: object, truth: Truth) -> bool:
    """Whether a card makes sense and names a generation of this store."""
    if not isinstance(card, dict) or card.get("digest") != _digest_of(card):
        return False
    return bool(card["generation"] == truth.manifest.generation) or truth.passed(card["generation"])


def _digest_of(card: Card) -> str:
    told = sorted((key, value) for key, value in card.items() if key != "digest")
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _contents(path: Path) -> bytes | mmap.mmap:
    """What a file holds. A large one is mapped: verified and read as one, even where another is renamed onto it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < MAPPED_FROM:
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
