"""A store is a folder: `dispatches.sqlite` is the truth, `passages.faiss` the search index derived from it.

SQLite's commit is the one commit point. The index follows, and is mended or made again where it does not fit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.errors import StoreLocked
from dispatch_qa.records import Filter
from dispatch_qa.store import index
from dispatch_qa.store.change import build, changing
from dispatch_qa.store.files import TRUTH, writing
from dispatch_qa.store.schema import MARKED, Embedded, Manifest, StoredPassage
from dispatch_qa.store.truth import Truth
from dispatch_qa.store.writer import Writer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dispatch_qa.store.engine import FaissEngine

__all__ = ["MARKED", "TRUTH", "Embedded", "Manifest", "Store", "StoredPassage", "Writer", "build", "changing"]

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scoped:
    """A store of which only some passages are seen: those whose id `among` is true at, or all."""

    store: Store
    among: npt.NDArray[np.bool_] | None

    def nearest(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]:
        """As `Store.nearest`."""
        return self.store.nearest(query, n, self.among)

    def matching(self, asked: Iterable[str], n: int) -> list[int]:
        """As `Store.matching`."""
        return self.store.matching(asked, n, self.among)

    def holding(self, phrases: Iterable[Sequence[str]], n: int) -> list[int]:
        """As `Store.holding`."""
        return self.store.holding(phrases, n, self.among)

    def frequency(self, asked: Iterable[str]) -> dict[str, int]:
        """As `Truth.frequency`: what a word tells does not hang on the filter."""
        return self.store.frequency(asked)

    def counts(self) -> tuple[int, int]:
        """As `Truth.counts`."""
        return self.store.counts()

    def passages(self, ids: Iterable[int]) -> list[StoredPassage]:
        """As `Store.passages`."""
        return self.store.passages(ids)


class Store:
    """A store opened for reading. Safe to share between threads.

    Every question sees the newest commit; what is asked inside `reading` sees one and the same.

    Args:
        folder: where the store is.
        warn: told one line where the search index had to be made again.

    Raises:
        StoreError: there is no store, or it cannot be used; the message names the command that mends it.
    """

    def __init__(self, folder: Path, warn: Warn = lambda line: None) -> None:
        self.folder = folder
        self.truth = Truth(folder / TRUTH)
        self.dispatch = self.truth.dispatch
        self.dispatches = self.truth.dispatches
        self.ids = self.truth.ids
        self.rows = self.truth.rows
        self.counts = self.truth.counts
        self.frequency = self.truth.frequency
        self._warn = warn
        self._index: index.SearchIndex | None = None
        self._loading = threading.Lock()
        # A generation names its content for good, so what is reckoned from it is kept.
        self._labels = lru_cache(maxsize=2)(lambda generation: self.truth.labels())
        self._takes = lru_cache(maxsize=2)(lambda generation: self.truth.takes())
        self._sharing = lru_cache(maxsize=512)(lambda generation, label: self.truth.sharing(label))
        self._among = lru_cache(maxsize=16)(self._reckoned)

    @property
    def manifest(self) -> Manifest:
        """What the store was made with, and what it holds."""
        return self.truth.manifest

    def reading(self) -> AbstractContextManager[Manifest]:
        """See one commit, in this thread, until left."""
        return self.truth.reading()

    def nearest(
        self, query: npt.NDArray[np.float32], n: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        """The `n` passages nearest to `query` (dim,), as (passage id, cosine), best first.

        Of passages that repeat each other the nearest is told. With `among`, only those whose id it is true at.
        """
        with self.reading() as manifest:
            engine = self._engine()
            asked = n
            while True:
                found = engine.search(query, asked, among)
                kept = self._once(manifest, found)
                # The copies of one passage must not leave others no place.
                if len(kept) >= n or len(found) < asked:
                    return kept[:n]
                asked *= 4

    def matching(self, asked: Iterable[str], n: int, among: npt.NDArray[np.bool_] | None = None) -> list[int]:
        """The ids of at most `n` passages that hold any of the terms `asked`, the best by BM25 first; as `nearest`."""
        return self._first(lambda: self.truth.matching(asked), n, among)

    def holding(
        self, phrases: Iterable[Sequence[str]], n: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[int]:
        """The ids of at most `n` passages that hold each of the `phrases`, a run of terms; as `matching`."""
        return self._first(lambda: self.truth.holding(phrases), n, among)

    def takes(self) -> list[tuple[Any, ...]]:
        """As `Truth.takes`."""
        with self.reading() as manifest:
            return self._takes(manifest.generation)

    def with_text(self, sha256: str) -> list[str]:
        """The ids of the dispatches whose text has that SHA-256."""
        return [row[0] for row in self.truth.query("SELECT id FROM dispatch WHERE sha256 = ? ORDER BY id", sha256)]

    def passages(self, ids: Iterable[int]) -> list[StoredPassage]:
        """The passages of those ids, in the order of `ids`. Raises `StoreDamaged` for an unknown one."""
        with self.reading() as manifest:
            labels = self._labels(manifest.generation)
            found = self.truth.passages(ids)

            def copies_of(one: StoredPassage) -> tuple[str, ...]:
                sharing = self._sharing(manifest.generation, labels[one.id])
                return tuple(dispatch_id for dispatch_id in sharing if dispatch_id != one.passage.dispatch_id)

            return [replace(one, copies=copies_of(one)) if one.id in labels else one for one in found]

    def among(self, where: Filter | None, without: Iterable[str] = ()) -> npt.NDArray[np.bool_] | None:
        """Which passages `where` lets through, bool (highest id + 1,), less those of the dispatches `without`.

        `None` where that is all of them.
        """
        without = frozenset(without)
        with self.reading() as manifest:
            return self._among(manifest, where, without) if where or without else None

    def only(self, where: Filter | None, dispatch_ids: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which passages are of the dispatches `dispatch_ids`, as far as `where` lets them through."""
        import numpy as np

        with self.reading() as manifest:
            let = np.zeros(manifest.last + 1, np.bool_)
            let[self.truth.of_ids(dispatch_ids)] = True
            through = self.among(where)
            return let if through is None else let & through

    def scoped(self, among: npt.NDArray[np.bool_] | None) -> Scoped:
        """The store as far as `among` lets through."""
        return Scoped(self, among)

    def close(self) -> None:
        self.truth.close()

    def _reckoned(self, manifest: Manifest, where: Filter | None, without: frozenset[str]) -> npt.NDArray[np.bool_]:
        import numpy as np

        let = np.full(manifest.last + 1, where is None)
        if where is not None:
            let[self.truth.of_dispatches(where)] = True
        let[self.truth.of_ids(without)] = False
        return let

    def _first(self, ranked: Callable[[], Iterator[int]], n: int, among: npt.NDArray[np.bool_] | None) -> list[int]:
        """The first `n` of the passages that `ranked` gives, of those that repeat each other one."""
        with self.reading() as manifest:
            labels = self._labels(manifest.generation)
            kept: dict[int, int] = {}
            for passage in ranked():
                if among is None or among[passage]:
                    kept.setdefault(labels.get(passage, -passage), passage)
                if len(kept) == n:
                    break
            return list(kept.values())

    def _once(self, manifest: Manifest, found: list[tuple[int, float]]) -> list[tuple[int, float]]:
        labels = self._labels(manifest.generation)
        if not labels:
            return found
        kept: dict[int, tuple[int, float]] = {}
        for passage, cosine in found:
            kept.setdefault(labels.get(passage, -passage), (passage, cosine))
        return list(kept.values())

    def _engine(self) -> index.SearchIndex:
        """The search index of the commit that this thread reads."""
        generation = self.manifest.generation
        with self._loading:
            known = self._index
            if known is None or known.generation != generation:
                known = index.load(self.folder, self.truth, known) or self._rebuilt()
                if known.lags:
                    # A process that ended too soon did not write it.
                    mended = known
                    self._written(lambda: mended.whole(self.truth))
                self._index = known
            return known

    def _rebuilt(self) -> index.SearchIndex:
        engine, fitted = index.built(self.truth)
        outcome = self._written(lambda: (engine, fitted))
        self._warn(f"the search index in {self.folder} was missing or not the store's: made again {outcome}")
        return index.SearchIndex(engine, index.card_of(self.manifest, fitted), self.truth)

    def _written(self, make: Callable[[], tuple[FaissEngine, int]]) -> str:
        """Write the index that `make` makes, unless another process writes; what became of it."""
        try:
            with writing(self.folder), closing(Truth(self.folder / TRUTH)) as newest:
                # Another process may have changed the store since; its index is not ours.
                if newest.manifest == self.manifest:
                    index.write(self.folder, *make(), self.manifest)
        except (OSError, StoreLocked) as error:
            return f"for this run only ({error})"
        return "and written"
