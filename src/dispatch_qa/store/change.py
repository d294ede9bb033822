"""Changing a store: one writer, one commit point, and what is derived brought up behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dispatch_qa.errors import StoreDamaged, StoreError, StoreMissing, StoreOutdated
from dispatch_qa.records import Dispatch
from dispatch_qa.store import index
from dispatch_qa.store.files import INDEX_CARD, TRUTH, sync, writing
from dispatch_qa.store.schema import Embedded, Manifest
from dispatch_qa.store.truth import Truth
from dispatch_qa.store.writer import Writer, create

Warn = Callable[[str], None]


@contextmanager
def changing(folder: Path, manifest: Manifest | None, warn: Warn = lambda line: None) -> Iterator[Writer]:
    """Change the store in `folder`; where there is none, an empty one is made by `manifest`, if given, first.

    What the writer commits inside stands, whatever comes after. When left, the index is brought up behind it and
    what was removed is overwritten; where that fails, `warn` is told and the next one to open the store does it.

    Raises:
        StoreMissing: there is no store, and no manifest was given.
        StoreLocked: another process is writing there.
        StoreError: the folder cannot be written.
    """
    if manifest is None:
        Truth(folder / TRUTH).close()
    with held(folder):
        if manifest is not None and not (folder / TRUTH).exists():
            work = swept(folder)
            create(work, manifest)
            _renamed(work, folder)
        Truth(folder / TRUTH).close()  # Raises where this is no store that can be used.
        with closing(Writer(folder / TRUTH)) as writer:
            try:
                yield writer
            finally:
                _follow(folder, writer, warn)


def build(folder: Path, manifest: Manifest, content: Iterable[tuple[Dispatch, list[Embedded]]]) -> None:
    """Write a store into `folder`: all of it, or, where anything fails, nothing.

    A store that stands there is replaced, in one commit, only after the new one is complete and on disk.

    Raises:
        StoreLocked: another process is writing there.
        StoreError: the folder cannot be written.
    """
    with held(folder):
        work = swept(folder)
        try:
            create(work, manifest)
            with closing(Writer(work, shared=False)) as writer:
                for dispatch, passages in content:
                    writer.put(dispatch, passages)
                writer.commit()
            place(work, folder)
        finally:
            swept(folder)


def place(work: Path, folder: Path, warn: Warn = lambda line: None) -> None:
    """Put a complete truth file into its place, in one commit, and the index behind it. The caller holds the lock."""
    # A build numbers its passages anew, so that an index of the same content may name others by the same numbers.
    (folder / INDEX_CARD).unlink(missing_ok=True)
    try:
        Truth(folder / TRUTH).close()
    except (StoreMissing, StoreDamaged, StoreOutdated):
        # A journal left beside a file that is replaced would be played into the new one.
        for journal in ("-journal", "-wal", "-shm"):
            (folder / f"{TRUTH}{journal}").unlink(missing_ok=True)
        _renamed(work, folder)
        with closing(Writer(folder / TRUTH, shared=False)) as writer:
            _follow(folder, writer, warn)
        return
    # Others may be reading the file that stands, so its content is replaced and not the file.
    with closing(Writer(folder / TRUTH)) as writer:
        writer.replace_all(work)
        _follow(folder, writer, warn)


def _follow(folder: Path, writer: Writer, warn: Warn) -> None:
    """Bring up what is derived behind a commit that stands."""
    try:
        writer.undo()
        if writer.manifest.untidy:
            writer.tidy()
        with closing(Truth(folder / TRUTH)) as truth, truth.reading() as manifest:
            found = index.load(folder, truth)
            if found is None:
                index.write(folder, *index.built(truth), manifest)
            elif found.lags:
                index.write(folder, *found.whole(truth), manifest)
        writer.settle()
    except (OSError, sqlite3.Error) as error:
        warn(
            f"the change of {folder} stands, but what is derived from it could not all be written ({error}): "
            "the next run does it"
        )


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made, and name it in what goes wrong."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder):
            yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"the store in {folder} could not be written ({error}); what was committed before still stands. "
            "Free space there or name another folder with --index"
        ) from error


def swept(folder: Path) -> Path:
    """Where a new truth file is made, cleared of what a run that was killed left there."""
    for leftover in folder.glob(f".{TRUTH}.new*"):
        leftover.unlink()
    return folder / f".{TRUTH}.new"


def _renamed(work: Path, folder: Path) -> None:
    work.replace(folder / TRUTH)
    sync(folder)
