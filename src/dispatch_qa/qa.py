"""The facade: the one place that wires the stages together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch_qa import store
from dispatch_qa.answer import REFUSAL, DispatchOf, answer, refuse, supporting
from dispatch_qa.background import without_background
from dispatch_qa.calibration import Calibration, load_calibration
from dispatch_qa.embed import Embedder, load_embedder
from dispatch_qa.encode import check_fingerprint, check_splitting, embedded, embedder_of, manifest_of
from dispatch_qa.errors import InputRejected, StoreDamaged, StoreMissing, StoreOutdated
from dispatch_qa.language import identify
from dispatch_qa.lexical import phrases
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.question import checked_question
from dispatch_qa.reader import reader_name
from dispatch_qa.reader.evidence import READ, Evidence, load_evidence
from dispatch_qa.readers import read_paths, shipped_dispatch
from dispatch_qa.records import Answer, Dispatch, Filter, Hit, Info, LeftOut
from dispatch_qa.retrieve import retrieve
from dispatch_qa.settings import DEFAULT_MODEL, Settings, shipped_index
from dispatch_qa.versions import SUPERSEDED, Apart, Take, apart, in_order, last_release

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Say = Callable[[str], None]
Step = Callable[[int], None]


def quiet(_: object) -> None:
    """Say nothing."""


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class DispatchQA:
    """Ask a store of dispatches.

    Args:
        settings: where the store is, and how it is asked.
        embedder: in place of the model that the store names; for tests and for models loaded already.
        evidence: in place of what the model's reader gives; for tests.
        say: told one line before work that takes seconds and about what had to be mended.
        now: the clock by which an embargo ends; gives an instant with its zone.

    Raises:
        StoreError: there is no usable store; the message names the command that mends it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        say: Say = quiet,
        now: Callable[[], datetime] = utc_now,
        evidence: Evidence | None = None,
    ) -> None:
        self.settings = settings or Settings.from_env()
        self._say = say
        self._store = store.Store(self.settings.index, warn=say)
        self._given, self._given_evidence = embedder, evidence
        self._now = now
        # What may be quoted changes with the store, and when an embargo ends.
        self._takes = lru_cache(maxsize=2)(lambda generation: [Take(*row) for row in self._store.takes()])
        self._apart = lru_cache(maxsize=2)(lambda generation, release: apart(self._takes(generation), release))
        check_splitting(self._store.manifest, self.settings.index)
        if embedder is None and self._store.manifest.model == DEFAULT_MODEL:
            check_fingerprint(self._store.manifest, FINGERPRINT, self.settings.index)

    def ask(self, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
        """The answer to a question in any language, with at most `k` citations, from what `where` lets through.

        Of each story its latest take answers. What may not be quoted, but would have been, is named in `left_out`.

        What stands in straight double quotes is meant literally: only passages that hold it answer.

        Raises:
            InputRejected: the question is empty, longer than 2,000 characters or not text.
            ModelError, StoreError, CitationError: as their names say.
        """
        question = checked_question(question)
        wanted = phrases(question)
        with self.reading():
            hits, left_out = self._search(question, k, where, wanted)
            if not hits and wanted:
                nearest, _ = self._search(question, k, where)
                text = f"{REFUSAL} {_nowhere(wanted)}"
                return refuse(question, nearest, self.dispatch_of, text, left_out=left_out)
            return answer(question, hits, self.dispatch_of, self._calibration, left_out)

    def search(self, question: str, k: int | None = None, where: Filter | None = None) -> list[Hit]:
        """The `k` best passages for a question, best first, whether or not they answer it. Raises as `ask`."""
        question = checked_question(question)
        with self.reading():
            return self._search(question, k, where, phrases(question))[0]

    def show(self, dispatch_id: str) -> Dispatch:
        """The dispatch of that id. Raises `InputRejected`, naming ids that exist, where there is none."""
        if dispatch := self.dispatch_of(dispatch_id):
            return dispatch
        ids = self._store.ids()
        some = ", ".join(ids[:10]) + (f" and {len(ids) - 10:,} more" if len(ids) > 10 else "")
        raise InputRejected(f"there is no dispatch {dispatch_id!r} in {self.settings.index}; there are: {some}")

    def info(self) -> Info:
        """What the store holds and what it was made with."""
        manifest = self._store.manifest
        reader = None if self.settings.reader == "off" else reader_name(manifest.fingerprint)
        curve = load_calibration(manifest.fingerprint, reader)
        return Info(
            index=self.settings.index,
            dispatches=self._store.ids(),
            passages=self._store.counts()[1],
            model=manifest.model,
            fingerprint=manifest.fingerprint,
            lane=manifest.lane,
            dim=manifest.dim,
            generation=manifest.generation,
            refusing=curve.at(self.settings.threshold).refusing if curve else None,
            reader=reader,
        )

    @property
    def threshold(self) -> float | None:
        """The confidence under which a question is refused; `None` where no calibration fits the model."""
        return self._calibration.threshold if self._calibration else None

    def reopened(self) -> DispatchQA:
        """The store as it stands on disk now, beside this one; shares this one's model if it is loaded and fits."""
        fresh = DispatchQA(self.settings, self._given, self._say, self._now, self._given_evidence)
        loaded: Embedder | None = self.__dict__.get("embedder")
        if loaded and loaded.fingerprint == fresh._store.manifest.fingerprint:
            fresh.embedder, fresh._evidence = loaded, self._evidence
        return fresh

    def close(self) -> None:
        """Let go of the store's files."""
        self._store.close()

    @property
    def dispatch_of(self) -> DispatchOf:
        """Looks a dispatch up by id; gives `None` where there is none."""
        return self._store.dispatch

    def reading(self) -> AbstractContextManager[object]:
        """See one state of the store, in this thread, in all that is asked until this is left."""
        return self._store.reading()

    def apart(self) -> dict[str, Apart]:
        """The dispatches that are not quoted now, and why: superseded, withdrawn, held or embargoed."""
        with self._store.reading() as manifest:
            return self._apart(manifest.generation, last_release(self._takes(manifest.generation), self._now()))

    def takes_of(self, dispatch_id: str) -> list[str]:
        """The ids of all takes of a dispatch's story, earliest first; of one without others, its own."""
        takes = self._takes(self._store.manifest.generation)
        story = next((take.story for take in takes if take.id == dispatch_id), None)
        return [take.id for take in in_order(take for take in takes if take.story == story)] or [dispatch_id]

    def with_text(self, sha256: str) -> list[str]:
        """The ids of the dispatches whose text has that SHA-256."""
        return self._store.with_text(sha256)

    def _search(
        self, question: str, k: int | None, where: Filter | None, literally: Sequence[str] = ()
    ) -> tuple[list[Hit], tuple[LeftOut, ...]]:
        fingerprint = self.embedder.fingerprint
        # The store may be another than when it was opened.
        check_fingerprint(self._store.manifest, fingerprint, self.settings.index)
        vector = without_background(self.embedder.queries([question])[0], identify(question), fingerprint)
        k, evidence = k or self.settings.k, self._evidence

        def found(among: npt.NDArray[np.bool_] | None) -> list[Hit]:
            n = max(k, READ) if evidence else k
            hits = retrieve(question, vector, self._store.scoped(among), self.settings.candidates, n, literally)
            return evidence.of(question, hits, self.dispatch_of)[:k] if evidence else hits

        takes = self.apart()
        hits = found(self._store.among(where, takes))
        hits = [replace(hit, copies=tuple(one for one in hit.copies if one not in takes)) for hit in hits]
        kept_back = [dispatch_id for dispatch_id, take in takes.items() if take.kind != SUPERSEDED]
        if not kept_back:
            return hits, ()
        rank = evidence.rank if evidence else attrgetter("score")
        fitting = found(self._store.only(where, kept_back))
        fitting = [hit for hit in fitting if len(hits) < k or rank(hit) >= rank(hits[-1])]
        ids = dict.fromkeys(hit.passage.dispatch_id for hit in supporting(fitting, self._calibration))
        return hits, tuple(LeftOut(i, takes[i].kind, takes[i].reason) for i in ids)

    @cached_property
    def _evidence(self) -> Evidence | None:
        """The reader and what its logits mean, loaded when the first question is asked."""
        if self._given_evidence or self._given or self.settings.reader == "off":
            return self._given_evidence
        return load_evidence(self._store.manifest.fingerprint, self.settings.cache, self._say)

    @cached_property
    def embedder(self) -> Embedder:
        """The model, loaded on first use."""
        return embedder_of(self._store.manifest, self.settings, self._given, self._say)

    @cached_property
    def _calibration(self) -> Calibration | None:
        curve = self._evidence.calibration if self._evidence else load_calibration(self._store.manifest.fingerprint)
        return curve.at(self.settings.threshold) if curve else None


def build(
    settings: Settings,
    paths: Sequence[Path] = (),
    *,
    dispatches: Sequence[Dispatch] = (),
    model: str | None = None,
    force: bool = False,
    embedder: Embedder | None = None,
    say: Say = quiet,
    total: Step = quiet,
    step: Step = quiet,
) -> int:
    """Build the store in `settings.index` from files and folders; the number of its dispatches.

    Without `paths` and `dispatches`, a store that stands there is made again from its own text, and an empty
    place gets the dispatch that ships with the package.

    Args:
        dispatches: dispatches that were read already, beside those of `paths`.
        model: the default model's name, a hub name or a folder; by default the standing store's.
        force: replace a store though dispatches are lost with it, or a file that is no usable store.
        embedder: in place of `model`.
        say: told one line before work that takes seconds.
        total: told once how many dispatches there are to do.
        step: told the number of dispatches that were just finished.

    Raises:
        InputRejected: a path cannot be read, or a standing store's dispatches would be lost.
        ModelError, StoreError: as their names say. The standing store is then untouched.
    """
    # A store that cannot be read is only replaced by dispatches that were named, or by those that ship with it.
    named = [*dispatches, *(read_paths(paths) if paths else [])]
    standing = _standing(settings, force=force and (bool(named) or settings.index == shipped_index()))
    if named:
        _refuse_loss(standing, named, settings.index, force)
    else:
        named = list(standing.dispatches()) if standing else [shipped_dispatch()]
    if embedder is None:
        name = model or (standing.manifest.model if standing else DEFAULT_MODEL)
        embedder = load_embedder(name, settings.cache, settings.batch_size, settings.lane, say)
    if standing:
        standing.close()
    total(len(named))

    def content() -> Iterator[tuple[Dispatch, list[store.Embedded]]]:
        for dispatch in named:
            yield dispatch, embedded(dispatch, embedder, settings.passage_tokens)
            step(1)

    store.build(settings.index, manifest_of(embedder, settings), content())
    return len(named)


def _nowhere(wanted: Sequence[str]) -> str:
    return "No passage holds " + " and ".join(f'"{phrase}"' for phrase in wanted) + ", which you put in quotes."


def _standing(settings: Settings, *, force: bool) -> store.Store | None:
    """The store that stands in the way of a build, if any; with `force`, one that cannot be read counts as none."""
    try:
        return store.Store(settings.index)
    except StoreMissing:
        return None
    except (StoreDamaged, StoreOutdated):
        if force:
            return None
        raise


def _refuse_loss(standing: store.Store | None, new: Iterable[Dispatch], folder: Path, force: bool) -> None:
    if standing is None or force:
        return
    kept = {dispatch.sha256 for dispatch in new}
    lost = [dispatch.id for dispatch in standing.dispatches() if dispatch.sha256 not in kept]
    if lost:
        raise InputRejected(
            f"the store in {folder} holds {len(lost):,} dispatches that this build would drop ({', '.join(lost[:3])}"
            f"{', …' if len(lost) > 3 else ''}); name another folder with --index, or add --force to drop them"
        )
