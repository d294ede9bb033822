"""A store is a folder: `dispatches.sqlite` is the truth, `passages.faiss` the search index derived from it.

The rename of the truth file is the one commit point. The index carries, in `passages.json`, its SHA-256 and
the generation of the truth that it was made from; where either does not fit, it is made again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dispatch_qa.errors import StoreError, StoreLocked
from dispatch_qa.records import Dispatch
from dispatch_qa.store.engine import Engine, FaissEngine
from dispatch_qa.store.truth import Embedded, Manifest, StoredPassage, Truth, write

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Embedded", "Manifest", "Store", "StoredPassage"]

TRUTH = "dispatches.sqlite"
INDEX = "passages.faiss"
INDEX_CARD = "passages.json"
LOCK = "writer.lock"

MAPPED_FROM = 1 << 27
"""An index file of so many bytes is mapped. A smaller one is read, in a tenth of a second or so, and then nothing
that happens to the file can reach a search."""

Warn = Callable[[str], None]


class Store:
    """A store opened for reading: one snapshot, which a later build does not change.

    Args:
        folder: where the store is.
        warn: told one line where the search index had to be made again.

    Raises:
        StoreError: there is no store, or it cannot be used; the message names the command that mends it.
    """

    def __init__(self, folder: Path, warn: Warn = lambda line: None) -> None:
        self.folder = folder
        self._truth = Truth(folder / TRUTH)
        self.manifest = self._truth.manifest
        self.dispatch = self._truth.dispatch
        self.dispatches = self._truth.dispatches
        self.ids = self._truth.ids
        self.counts = self._truth.counts
        self.passages = self._truth.passages
        self.frequency = self._truth.frequency
        self.matching = self._truth.matching
        self.holding = self._truth.holding
        self._warn = warn
        self._engine: Engine | None = None

    def nearest(self, query: npt.NDArray[np.float32], n: int) -> list[tuple[int, float]]:
        """The `n` passages nearest to `query` (dim,), as (passage id, cosine), best first."""
        if self._engine is None:
            self._engine = _load_index(self.folder, self.manifest) or self._rebuilt_index()
        return self._engine.search(query, n)

    def close(self) -> None:
        self._truth.close()

    def _rebuilt_index(self) -> Engine:
        engine = FaissEngine.build(*self._truth.vectors())
        outcome = "and written"
        try:
            with _writing(self.folder):
                # Another process may have built a new store since this one was opened; its index is not ours.
                if Truth(self.folder / TRUTH).manifest == self.manifest:
                    _write_index(self.folder, engine, self.manifest.generation)
        except (OSError, StoreLocked) as error:
            outcome = f"for this run only ({error})"
        self._warn(f"the search index in {self.folder} was missing or not the store's: made again {outcome}")
        return engine


def build(folder: Path, manifest: Manifest, content: Iterable[tuple[Dispatch, list[Embedded]]]) -> None:
    """Write a store into `folder`: all of it, or, where anything fails, nothing.

    A store that stands there is replaced only after the new one is complete and on disk.

    Raises:
        StoreLocked: another process is writing there.
        StoreError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _writing(folder):
            target, work = folder / TRUTH, folder / f".{TRUTH}.new"
            for leftover in folder.glob(f".{TRUTH}.new*"):
                leftover.unlink()
            try:
                write(work, manifest, content)
                written = Truth(work)
                engine = FaissEngine.build(*written.vectors())
                written.close()
                _forget_journal(target)
                os.replace(work, target)
                _sync(folder)
                _write_index(folder, engine, written.manifest.generation)
            finally:
                for leftover in folder.glob(f".{TRUTH}.new*"):
                    leftover.unlink()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"the store in {folder} could not be written ({error}); what was there before still stands. "
            "Free space there or name another folder with --index"
        ) from error


def _forget_journal(target: Path) -> None:
    """Let SQLite finish with the old truth file: a journal left beside it would be played into the new one."""
    if target.exists():
        try:
            with closing(sqlite3.connect(target)) as db:
                db.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.DatabaseError:
            pass  # It is damaged and about to be replaced.
    target.with_name(f"{TRUTH}-journal").unlink(missing_ok=True)


def _load_index(folder: Path, manifest: Manifest) -> Engine | None:
    """The search index, where its checksum and generation fit."""
    try:
        data = _contents(folder / INDEX)
        card = json.loads((folder / INDEX_CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if card != {"generation": manifest.generation, "sha256": hashlib.sha256(data).hexdigest()}:
        return None
    engine = FaissEngine.from_bytes(data)
    if sys.platform == "linux" and isinstance(data, mmap.mmap):
        # The checksum touched every page and FAISS has copied some: from here on only what a search needs counts.
        data.madvise(mmap.MADV_DONTNEED)
    return engine


def _contents(path: Path) -> bytes | mmap.mmap:
    """What a file holds. A large one is mapped: verified and read as one, even where another is renamed onto it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < MAPPED_FROM:
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _write_index(folder: Path, engine: FaissEngine, generation: str) -> None:
    digest = hashlib.sha256()
    with _replacing(folder / INDEX) as file:

        def write(data: bytes) -> int:
            digest.update(data)
            return file.write(data)

        engine.write(write)
    card = {"generation": generation, "sha256": digest.hexdigest()}
    with _replacing(folder / INDEX_CARD) as file:
        file.write((json.dumps(card, indent=1) + "\n").encode())


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file whole: into a new one, onto the disk, then renamed into place."""
    work = path.with_name(f".{path.name}.new")
    try:
        with work.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(work, path)
    finally:
        work.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Put a folder's entries on disk (Windows offers no such call)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Hold the store's writer lock; raise `StoreLocked`, naming the holder, where another process does."""
    import filelock

    lock, holder = filelock.FileLock(folder / LOCK), folder / f"{LOCK}.holder"
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        raise StoreLocked(f"the store in {folder} is being written by {who}; wait for it to end, then again") from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
