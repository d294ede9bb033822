"""Copy that readers of the page add: kept in a folder under its own name, then taken in as the command line does."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dispatch_qa.archive import Archive
from dispatch_qa.errors import Busy, InputRejected

LONGEST_NAME = 150
WAITING = 4
"""Files at most that are held in memory, the one at work among them."""
_USABLE = re.compile(r"[^\x00-\x1f\x7f/\\<>:\"|?*]+")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one file: "added", "replaced", "unchanged" or "repeated", and the ids of its dispatches."""

    name: str
    outcome: str
    ids: tuple[str, ...]


class Inbox:
    """A folder of files that were sent, and the store that takes them in, one at a time.

    Args:
        archive: gives the store, with the readers and limits of the command line; called for each file.
        folder: where the files are kept. A file of the same name takes the place of the one before it, and so
            do its dispatches.
    """

    def __init__(self, archive: Callable[[], Archive], folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._room = threading.BoundedSemaphore(WAITING)
        self._one_at_a_time = threading.Lock()

    def add(self, name: str, data: bytes) -> Added:
        """Take a file in.

        Raises:
            InputRejected: the file's name or content cannot be used; nothing of it is kept.
            Busy: other files wait already.
            ModelError, StoreError: as their names say.
        """
        if not _USABLE.fullmatch(name) or name.startswith(".") or len(name.encode()) > LONGEST_NAME:
            raise InputRejected(f"{name[:60]!r} is no name that a file can be kept under; rename it and send it again")
        if not self._room.acquire(blocking=False):
            raise Busy("too many files at once; send it again in a moment")
        try:
            return self._take_in(self._folder / name, data)
        finally:
            self._room.release()

    def _take_in(self, file: Path, data: bytes) -> Added:
        name = file.name
        with self._one_at_a_time:
            self._folder.mkdir(parents=True, exist_ok=True)
            before = file.read_bytes() if file.exists() else None
            _write(file, data)
            taken = False
            try:
                report = self._archive().add([file])
                if report.failed:
                    # The reader's words name the file by where it lies here.
                    why = next(iter(report.failed.values())).replace(f"{self._folder}{os.sep}", "")
                    raise InputRejected(why)
                taken = True
            finally:
                if not taken:
                    _put_back(file, before)
        for outcome in ("replaced", "added"):
            if ids := getattr(report, outcome):
                return Added(name, outcome, tuple(ids))
        return Added(name, "repeated" if report.repeated else "unchanged", tuple(report.repeated.values()))


def _write(file: Path, data: bytes) -> None:
    work = file.with_name(f".{file.name}.new")
    work.write_bytes(data)
    os.replace(work, file)


def _put_back(file: Path, before: bytes | None) -> None:
    if before is None:
        file.unlink(missing_ok=True)
    else:
        _write(file, before)
