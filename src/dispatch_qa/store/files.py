"""Writing files whole, and one writer at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dispatch_qa.errors import StoreLocked

TRUTH = "dispatches.sqlite"
INDEX = "passages.faiss"
INDEX_CARD = "passages.json"
LOCK = "writer.lock"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
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
    sync(path.parent)


def sync(folder: Path) -> None:
    """Put a folder's entries on disk (Windows offers no such call)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
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
