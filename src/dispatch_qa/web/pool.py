"""A desk for many users: one model, a bounded number of threads at work, a bounded number of questions waiting.

Each thread has an opening of the store of its own, because a connection to SQLite is not made to be shared. Before
a question it looks whether the store on disk is another one by now, and then opens that: new dispatches are
found without a restart. A store that can no longer be opened is told about, and the one that is open answers on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dispatch_qa.errors import Busy, InputRejected, StoreError
from dispatch_qa.qa import DispatchQA, Say, quiet
from dispatch_qa.records import Answer, Dispatch, Filter, Hit, Info

T = TypeVar("T")
Told = Callable[[str, Answer | BaseException], None]

WAITING = 64
"""How many questions may wait: at some twenty milliseconds each, the last is answered within a second or two."""

_LONG_QUESTION = "What do the dispatches say? " * 25
"""Long enough that everything a question can need is loaded by it, the tokenizer's library too."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """The store as one thread has it open, and how its files looked on disk just before."""

    store: DispatchQA
    seen: tuple[object, ...]


class Pool:
    """Answers as a `Desk` does, from many threads at once; raises `Busy` where too many wait already.

    Args:
        store: the store, opened; the pool keeps it for its model and closes it in the end.
        workers: threads at work. Answering is computing: more than there are cores gain nothing.
        waiting: questions that may wait for a thread.
        say: told one line where a new store on disk cannot be opened.
        told: told each question, and what became of it: an answer, or the error.
    """

    def __init__(
        self,
        store: DispatchQA,
        workers: int | None = None,
        waiting: int = WAITING,
        say: Say = quiet,
        told: Told = lambda question, outcome: None,
    ) -> None:
        self.workers = workers or _cores()
        self.ready = threading.Event()
        self._say, self._told = say, told
        self._newest = _Opening(store, _on_disk(store.settings.index))
        self._opening = threading.Lock()
        self._mine = threading.local()
        self._opened: list[DispatchQA] = [store]
        self._room = threading.BoundedSemaphore(self.workers + waiting)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="desk")
        self.pending = 0  # at work or waiting
        self._count = threading.Lock()

    def ask(self, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
        return self.asking(question, k, where).result()

    def search(self, question: str, k: int | None = None, where: Filter | None = None) -> list[Hit]:
        return self.submit(lambda store: store.search(question, k, where)).result()

    def show(self, dispatch_id: str) -> Dispatch:
        return self.submit(lambda store: shown(store, dispatch_id)).result()

    def info(self) -> Info:
        return self.submit(DispatchQA.info).result()

    def asking(self, question: str, k: int | None = None, where: Filter | None = None) -> Future[Answer]:
        """An answer to come. Raises as `submit`."""

        def tell(future: Future[Answer]) -> None:
            if not future.cancelled():
                self._told(question, future.exception() or future.result())

        try:
            future = self.submit(lambda store: store.ask(question, k, where))
        except Busy as error:
            self._told(question, error)
            raise
        future.add_done_callback(tell)
        return future

    def submit(self, work: Callable[[DispatchQA], T]) -> Future[T]:
        """Do `work` with the store in one of the threads.

        Raises:
            Busy: as many wait as may, or the pool is closing.
        """
        if not self._room.acquire(blocking=False):
            raise Busy("too many questions at once; ask again in a moment")
        try:
            future = self._threads.submit(self._work, work)
        except RuntimeError as error:
            self._room.release()
            raise Busy("the server is stopping; ask again when it is back") from error
        with self._count:
            self.pending += 1
        future.add_done_callback(self._done)
        return future

    def warm(self) -> None:
        """Open the store in every thread and load all that a question needs, behind the caller's back."""
        for _ in range(self.workers):
            self.submit(lambda store: store.settings).add_done_callback(self._failed)

    def close(self) -> None:
        """Answer what is asked already, then let go of threads and files."""
        self._threads.shutdown()
        for store in self._opened:
            store.close()

    def _work(self, work: Callable[[DispatchQA], T]) -> T:
        return work(self._store())

    def _store(self) -> DispatchQA:
        """This thread's opening of the store, as it stands on disk."""
        mine: _Opening | None = getattr(self._mine, "opening", None)
        seen = _on_disk(self._newest.store.settings.index)
        if mine is not None and mine.seen == seen:
            return mine.store
        # One at a time, so that what is loaded on first use is loaded once.
        with self._opening:
            try:
                fresh = self._reopened(seen)
            except StoreError as error:
                if mine is None:
                    raise
                self._say(f"answering from the store as it was, because the new one cannot be opened: {error}")
                self._mine.opening = _Opening(mine.store, seen)
                return mine.store
            if mine is not None:
                self._close(mine.store)
            self._opened.append(fresh)
            self._mine.opening = _Opening(fresh, seen)
        self.ready.set()
        return fresh

    def _reopened(self, seen: tuple[object, ...]) -> DispatchQA:
        if self._newest.seen != seen:
            newest = self._newest.store.reopened()
            self._close(self._newest.store)
            self._opened.append(newest)
            self._newest = _Opening(newest, seen)
        fresh = self._newest.store.reopened()
        fresh.search(_LONG_QUESTION)
        return fresh

    def _close(self, store: DispatchQA) -> None:
        self._opened.remove(store)
        store.close()

    def _failed(self, future: Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()):
            self._say(f"no question can be answered: {error}")

    def _done(self, _: object) -> None:
        with self._count:
            self.pending -= 1
        self._room.release()


def shown(store: DispatchQA, dispatch_id: str) -> Dispatch:
    """The dispatch of that id. Raises `InputRejected`, which says nothing about the server's folders."""
    if dispatch := store.dispatch_of(dispatch_id):
        return dispatch
    raise InputRejected(f"there is no dispatch {dispatch_id!r}")


def _on_disk(folder: Path) -> tuple[object, ...]:
    """How the store's files look: another value where another store, or another state of it, is on disk."""
    looks: list[object] = []
    for name in ("dispatches.sqlite", "dispatches.sqlite-wal"):
        try:
            found = (folder / name).stat()
        except OSError:
            looks.append(None)
        else:
            looks += [found.st_ino, found.st_mtime_ns, found.st_size]
    return tuple(looks)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
