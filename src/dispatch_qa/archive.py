"""The facade's other half: an archive that changes. Adding, removing, following a folder."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dispatch_qa import store
from dispatch_qa.embed import Embedder, load_embedder
from dispatch_qa.encode import Key, Say, check_splitting, embedded, embedder_of, key_of, manifest_of
from dispatch_qa.errors import InputRejected, StoreLocked
from dispatch_qa.readers import read_file, suffixes
from dispatch_qa.readers.folder import Found, walk
from dispatch_qa.records import Dispatch, Filter
from dispatch_qa.settings import DEFAULT_MODEL, Settings
from dispatch_qa.versions import LOOKED_AT, story_of

COMMIT_EVERY = 500
"""So many new passages are committed together: a minute's work at most is done again after an interruption."""

Step = Callable[[int], None]


def quiet(_: object) -> None:
    """Say nothing."""


@dataclass(slots=True)
class Report:
    """What became of each dispatch, by id, and of each file that was of no use, with why."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    repeated: dict[str, str] = field(default_factory=dict)
    """Files that hold, letter for letter, what is stored under that id already."""
    failed: dict[str, str] = field(default_factory=dict)


class Archive:
    """A store that is changed. Each batch of files is one commit; what was committed stands, whatever comes after.

    Args:
        settings: where the store is.
        embedder: in place of the model that the store names; for tests and for models loaded already.
        say: told one line before work that takes seconds, and where what is derived could not be written.
    """

    def __init__(self, settings: Settings | None = None, embedder: Embedder | None = None, say: Say = quiet) -> None:
        self.settings = settings or Settings.from_env()
        self._given = embedder
        self._say = say
        self._loaded: Embedder | None = None

    def add(self, paths: Iterable[Path], *, total: Step = quiet, step: Step = quiet) -> Report:
        """Store the dispatches of files and folders; a file that has changed replaces what came from it.

        A file that cannot be used is in the report, and nothing of it is stored.

        Args:
            paths: files, and folders that are searched whole.
            total: told once how many files there are.
            step: told the number of files that were just done.

        Raises:
            ModelError, StoreError: as their names say.
        """
        return self._changed(list(_files(paths)), (), total, step)

    def sync(self, folder: Path, *, empty: bool = False, total: Step = quiet, step: Step = quiet) -> Report:
        """As `add`, and what came from files of that folder that are no more is removed.

        Args:
            folder: searched whole.
            empty: whether a folder without any file means that all of it is to be removed.

        Raises:
            InputRejected: there is no such folder, or it is empty though dispatches came from it.
        """
        if not folder.is_dir():
            raise InputRejected(f"there is no folder {folder}; to remove what came from it, name the dispatches")
        found = list(walk(folder, suffixes()))
        here = {_source(file) for file, _ in found}
        gone = [source for source in self._sources(folder) if source not in here]
        if gone and not found and not empty:
            raise InputRejected(
                f"{folder} holds no file to read, but {len(gone):,} files of the store came from it; "
                "add --empty where they are to be removed"
            )
        return self._changed(found, gone, total, step)

    def watch(self, folder: Path, told: Callable[[Report], None], stop: threading.Event | None = None) -> None:
        """Sync a folder, then follow what happens in it until `stop` is set; `told` of each change that was made."""
        from watchfiles import watch

        told(self.sync(folder))
        for _ in watch(folder, stop_event=stop, raise_interrupt=True):
            # What has not changed costs a glance at the file alone.
            told(self._synced_when_free(folder))

    def _synced_when_free(self, folder: Path) -> Report:
        while True:
            try:
                return self.sync(folder, empty=True)
            except StoreLocked as error:
                self._say(str(error))
                time.sleep(1)

    def remove(self, ids: Sequence[str]) -> Report:
        """Remove dispatches, with every trace of them in the store.

        Raises:
            InputRejected: one of them is not there; then none is removed.
        """
        report = Report()
        with store.changing(self.settings.index, None, self._say) as writer:
            if absent := [one for one in ids if writer.dispatch(one) is None]:
                raise InputRejected(f"there is no dispatch {absent[0]!r} in {self.settings.index}; nothing was removed")
            for dispatch_id in dict.fromkeys(ids):
                # Its file is read again if it is named again.
                query = "SELECT source FROM dispatch WHERE id = ? AND source IS NOT NULL"
                for (source,) in writer.rows(query, dispatch_id):
                    writer.read_from(source, None)
                writer.remove(dispatch_id)
                report.removed.append(dispatch_id)
            writer.commit()
        return report

    def listed(self, where: Filter | None = None) -> list[dict[str, str | None]]:
        """The dispatches that `where` lets through, by id: some of their fields."""
        fields = ("id", "filed_at", "language", "agency", "slug", "version", "version_of", "status", "source")
        with closing(store.Store(self.settings.index)) as opened:
            return [dict(zip(fields, row, strict=True)) for row in opened.rows(fields, where)]

    def _changed(self, found: list[Found], gone: Iterable[str], total: Step, step: Step) -> Report:
        report = Report()
        total(len(found))
        with store.changing(self.settings.index, self._standing(), self._say) as writer:
            for source in gone:
                for (dispatch_id,) in writer.rows("SELECT id FROM dispatch WHERE source = ? ORDER BY id", source):
                    writer.remove(dispatch_id)
                    report.removed.append(dispatch_id)
                writer.read_from(source, None)
            if report.removed:
                writer.forget_overtaken()
            writer.commit()
            pending = 0
            for file, name in found:
                pending += self._take_in(writer, file, name, report)
                if pending >= COMMIT_EVERY:
                    writer.commit()
                    pending = 0
                step(1)
            writer.commit()
        return report

    def _take_in(self, writer: store.Writer, file: Path, name: str | InputRejected, report: Report) -> int:
        """Store what a file holds; the number of passages that this made."""
        source = _source(file)
        try:
            if isinstance(name, InputRejected):
                raise name
            digest = _digest(file)
            known = writer.rows("SELECT sha256 FROM source WHERE path = ?", source)
            if known == [(digest,)]:
                report.unchanged += 1
                return 0
            new = [replace(dispatch, source=source) for dispatch in read_file(file, name)]
        except InputRejected as error:
            report.failed[str(file)] = str(error)
            return 0
        return self._put_all(writer, new, name, digest, report)

    def _put_all(self, writer: store.Writer, new: list[Dispatch], name: str, digest: str, report: Report) -> int:
        source = str(new[0].source)
        old = {row[0] for row in writer.rows("SELECT id FROM dispatch WHERE source = ?", source)}
        if not old and len(new) == 1 and (same := _same(writer, new[0])):
            report.repeated[source] = same
            return 0
        known: dict[Key, store.Embedded] = {}
        for dispatch_id in old:
            text = writer.dispatch(dispatch_id)
            known |= {key_of(one[0], text.text): one for one in writer.embedded(dispatch_id)} if text else {}
        kept: set[str] = set()
        named = []
        for dispatch in new:
            # An id that the copy brings names the same dispatch wherever it comes from; one of the file's name may not.
            own = _free(writer, dispatch.id, source, kept) if dispatch.id.startswith(name) else dispatch.id
            kept.add(own)
            named.append(replace(dispatch, id=own))
        # One by one: a long file's vectors need not be held together, and an error undoes all since the last commit.
        for dispatch_id in sorted(old - kept):
            writer.remove(dispatch_id)
            report.removed.append(dispatch_id)
        made = 0
        for dispatch in (story_of(one, writer.rows) for one in named):
            passages = embedded(dispatch, self._embedder(), writer.manifest.passage_tokens, known)
            (report.replaced if writer.dispatch(dispatch.id) else report.added).append(dispatch.id)
            writer.put(dispatch, passages)
            self._chain(writer, dispatch)
            made += len(passages)
        writer.read_from(source, digest)
        return made

    def _chain(self, writer: store.Writer, first: Dispatch, seen: frozenset[str] = frozenset()) -> None:
        """Chain takes that came before the one that they follow, as files in name order may, and those behind them."""
        item = first.id.partition("@")[0]
        if first.version_of not in (None, item):
            query = "SELECT id FROM dispatch WHERE coalesce(version_of, id) = ? AND version_of IS NOT NULL AND id <> ?"
            given = (item, first.id)
        elif first.version_of is None and first.slug:
            query = f"SELECT id FROM dispatch WHERE slug = ? AND id <> ? AND version_of IS NULL AND {store.MARKED}"
            given = (first.slug, first.id)
        else:
            return
        for (dispatch_id,) in writer.rows(f"{query} ORDER BY number", *given)[-LOOKED_AT:]:
            take = writer.dispatch(dispatch_id)
            chained = story_of(take, writer.rows) if take else None
            if chained and chained != take and dispatch_id not in seen:
                writer.put(chained, writer.embedded(dispatch_id))
                self._chain(writer, chained, seen | {dispatch_id})

    def _sources(self, folder: Path) -> Iterator[str]:
        if not (self.settings.index / store.TRUTH).exists():
            return
        with closing(store.Store(self.settings.index)) as opened:
            for (source,) in opened.truth.query("SELECT path FROM source"):
                if Path(source).is_relative_to(_source(folder)):
                    yield source

    def _standing(self) -> store.Manifest:
        """The manifest of the store that stands, or of the one that is to be made."""
        if (self.settings.index / store.TRUTH).exists():
            with closing(store.Store(self.settings.index)) as opened:
                manifest = opened.manifest
            check_splitting(manifest, self.settings.index)
            return manifest
        settings = self.settings
        self._loaded = self._given or load_embedder(
            DEFAULT_MODEL, settings.cache, settings.batch_size, settings.lane, self._say
        )
        return manifest_of(self._loaded, settings)

    def _embedder(self) -> Embedder:
        """The model, loaded when the first text has to be embedded."""
        if self._loaded is None:
            with closing(store.Store(self.settings.index)) as opened:
                self._loaded = embedder_of(opened.manifest, self.settings, self._given, self._say)
        return self._loaded


def _files(paths: Iterable[Path]) -> Iterator[Found]:
    """The files that paths stand for, each with the name that its id is made from, or why it is not read."""
    for path in paths:
        if not path.is_dir():
            yield path, path.stem
            continue
        inside = list(walk(path, suffixes()))
        yield from inside
        if not inside:
            yield path, InputRejected(f"{path} holds no file to read; known formats: {', '.join(suffixes())}")


def _source(path: Path) -> str:
    """A file's name in the store: whole, and the same from wherever it is named."""
    return Path(os.path.abspath(path)).as_posix()  # noqa: PTH100 - links stay as they are named


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise InputRejected(f"{file} cannot be read: {error.strerror}") from error


def _same(writer: store.Writer, dispatch: Dispatch) -> str | None:
    """The dispatch that says the same letter for letter, fields and all, but came from another file."""
    for (dispatch_id,) in writer.rows("SELECT id FROM dispatch WHERE sha256 = ? ORDER BY number", dispatch.sha256):
        bare = {"id": dispatch_id, "source": None, "version_of": None}
        stored = writer.dispatch(dispatch_id)
        if stored and replace(stored, **bare) == replace(dispatch, **bare):
            return stored.id
    return None


def _free(writer: store.Writer, name: str, source: str, kept: set[str]) -> str:
    """`name` as an id, with a number behind it where another file's dispatch has it already."""
    candidate, number = name, 2
    query = "SELECT 1 FROM dispatch WHERE id = ? AND source IS NOT ?"
    while candidate in kept or writer.rows(query, candidate, source):
        candidate, number = f"{name}-{number}", number + 1
    return candidate
