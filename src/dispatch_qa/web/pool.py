"""A desk for many users: one store and one model, a bounded number at work, a bounded number waiting.

The store is shared by the threads, each of which has a connection of its own to it, and every question sees the newest
commit: new dispatches are found without a restart. Where another file is put in the store's place it is opened anew;
if that cannot be, it is told, and the store that is open answers on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePath
from typing import Any, TypeVar

from dispatch_qa.errors import Busy, InputRejected, StoreError, StoreOutdated
from dispatch_qa.qa import DispatchQA, Say, quiet
from dispatch_qa.records import Answer, Dispatch, Filter, Hit, Info
from dispatch_qa.store import TRUTH

T = TypeVar("T")
Told = Callable[[str, Answer | BaseException], None]

WAITING = 64
"""How many questions may wait: at some eighty milliseconds of one core each, the last is answered within seconds."""

_LONG_QUESTION = "What do the dispatches say? " * 25
"""Long enough that everything a question can need is loaded by it, the tokenizer's library too."""


class Pool:
    """Answers as a `Desk` does, from many threads at once; raises `Busy` where too many wait already.

    Args:
        store: the store, opened; the pool closes it in the end.
        workers: threads at work. Answering is computing: more than there are cores gain nothing.
        waiting: questions that may wait for a thread.
        say: told one line where the store or its model cannot be opened.
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
        self.pending = 0  # at work or waiting
        self._count = threading.Lock()
        self._say, self._told = say, told
        self._opening = threading.Lock()
        self._store, self._file = store, _file_of(store)
        self._opened = [store]  # one that was replaced may still be in use, so all are closed in the end
        self._room = threading.BoundedSemaphore(self.workers + waiting)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="desk")

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
        """Load all that a question needs, behind the caller's back."""
        self.submit(DispatchQA.reading).add_done_callback(self._failed)

    def close(self) -> None:
        """Answer what is asked already, then let go of threads and files."""
        self._threads.shutdown()
        for store in self._opened:
            store.close()

    def _work(self, work: Callable[[DispatchQA], T]) -> T:
        store = self._current()
        try:
            return work(store)
        except StoreOutdated:
            # It was built again with another model, in place.
            return work(self._current(instead_of=store))

    def _current(self, instead_of: DispatchQA | None = None) -> DispatchQA:
        """The store, with its model loaded; another than `instead_of`."""
        if self.ready.is_set() and self._store is not instead_of and _file_of(self._store) == self._file:
            return self._store
        # One thread at a time, so that what is loaded on first use is loaded once.
        with self._opening:
            if (file := _file_of(self._store)) != self._file or self._store is instead_of:
                self._file = file
                try:
                    fresh = self._store.reopened()
                    fresh.search(_LONG_QUESTION)
                except StoreError as error:
                    self._say(f"answering from the store as it was, because the new one cannot be opened: {error}")
                else:
                    self._store = fresh
                    self._opened.append(fresh)
            if not self.ready.is_set():
                self._store.search(_LONG_QUESTION)
                self.ready.set()
            return self._store

    def _failed(self, future: Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()):
            self._say(f"no question can be answered: {error}")

    def _done(self, _: object) -> None:
        with self._count:
            self.pending -= 1
        self._room.release()


def shown(store: DispatchQA, dispatch_id: str) -> Dispatch:
    """The dispatch of that id, of its file only the name.

    Raises:
        InputRejected: there is none; the message says nothing about the server's folders.
    """
    if dispatch := store.dispatch_of(dispatch_id):
        return replace(dispatch, source=dispatch.source and PurePath(dispatch.source).name)
    raise InputRejected(f"there is no dispatch {dispatch_id!r}")


def _file_of(store: DispatchQA) -> tuple[int, int] | None:
    """Which file stands in the store's place; a commit does not change that."""
    try:
        found = (store.settings.index / TRUTH).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
