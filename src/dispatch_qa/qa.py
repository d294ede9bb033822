"""The facade: the one place that wires the stages together."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch_qa import store
from dispatch_qa.answer import REFUSAL, DispatchOf, answer, refuse
from dispatch_qa.background import without_background
from dispatch_qa.calibration import Calibration, load_calibration
from dispatch_qa.embed import AGREEING_LANES, Embedder, load_embedder
from dispatch_qa.errors import InputRejected, StoreDamaged, StoreMissing, StoreOutdated, build_command
from dispatch_qa.language import identify
from dispatch_qa.lexical import phrases
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.readers import read_paths, shipped_dispatch
from dispatch_qa.records import Answer, Dispatch, Hit, Info
from dispatch_qa.retrieve import retrieve
from dispatch_qa.settings import DEFAULT_MODEL, MAX_QUESTION_CHARS, Settings, shipped_index
from dispatch_qa.split import SPLITTING, split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Say = Callable[[str], None]
Step = Callable[[int], None]


def quiet(_: object) -> None:
    """Say nothing."""


class DispatchQA:
    """Ask a store of dispatches.

    Args:
        settings: where the store is, and how it is asked.
        embedder: in place of the model that the store names; for tests and for models loaded already.
        say: told one line before work that takes seconds and about what had to be mended.

    Raises:
        StoreError: there is no usable store; the message names the command that mends it.
    """

    def __init__(self, settings: Settings | None = None, embedder: Embedder | None = None, say: Say = quiet) -> None:
        self.settings = settings or Settings.from_env()
        self._say = say
        self._store = store.Store(self.settings.index, warn=say)
        self._given = embedder
        if self._store.manifest.splitting != SPLITTING:
            raise self._outdated(f"was split by rules {self._store.manifest.splitting}, this version has {SPLITTING}")
        if embedder is None and self._store.manifest.model == DEFAULT_MODEL:
            self._check_fingerprint(FINGERPRINT)

    def ask(self, question: str, k: int | None = None) -> Answer:
        """The answer to a question in any language, with at most `k` citations.

        What stands in straight double quotes is meant literally: only passages that hold it answer.

        Raises:
            InputRejected: the question is empty, longer than 2,000 characters or not text.
            ModelError, StoreError, CitationError: as their names say.
        """
        question = checked_question(question)
        hits = self._search(question, k, phrases(question))
        if not hits and (wanted := phrases(question)):
            return refuse(question, self._search(question, k), self.dispatch_of, f"{REFUSAL} {_nowhere(wanted)}")
        return answer(question, hits, self.dispatch_of, self._calibration)

    def search(self, question: str, k: int | None = None) -> list[Hit]:
        """The `k` best passages for a question, best first, whether or not they answer it. Raises as `ask`."""
        question = checked_question(question)
        return self._search(question, k, phrases(question))

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
        return Info(
            index=self.settings.index,
            dispatches=self._store.ids(),
            passages=self._store.counts()[1],
            model=manifest.model,
            fingerprint=manifest.fingerprint,
            lane=manifest.lane,
            dim=manifest.dim,
            generation=manifest.generation,
            calibrated=self._calibration is not None,
        )

    @property
    def threshold(self) -> float | None:
        """The confidence under which a question is refused; `None` where no calibration fits the model."""
        return self._calibration.threshold if self._calibration else None

    def close(self) -> None:
        """Let go of the store's files."""
        self._store.close()

    @property
    def dispatch_of(self) -> DispatchOf:
        """Looks a dispatch up by id; gives `None` where there is none."""
        return self._store.dispatch

    def _search(self, question: str, k: int | None, literally: Sequence[str] = ()) -> list[Hit]:
        fingerprint = self._store.manifest.fingerprint
        vector = without_background(self._embedder.queries([question])[0], identify(question), fingerprint)
        return retrieve(question, vector, self._store, self.settings.candidates, k or self.settings.k, literally)

    @cached_property
    def _embedder(self) -> Embedder:
        manifest, settings = self._store.manifest, self.settings
        embedder = self._given or load_embedder(
            manifest.model, settings.cache, settings.batch_size, settings.lane, self._say
        )
        self._check_fingerprint(embedder.fingerprint)
        if embedder.lane != manifest.lane and not {embedder.lane, manifest.lane} <= AGREEING_LANES:
            raise self._outdated(
                f"holds vectors computed by {manifest.lane}, which {embedder.lane} does not agree with"
            )
        return embedder

    @cached_property
    def _calibration(self) -> Calibration | None:
        return load_calibration(self._store.manifest.fingerprint)

    def _check_fingerprint(self, fingerprint: str) -> None:
        stored = self._store.manifest
        if fingerprint != stored.fingerprint:
            raise self._outdated(f"holds vectors of {stored.model} ({stored.fingerprint}), not of {fingerprint}")

    def _outdated(self, what: str) -> StoreOutdated:
        folder = self.settings.index
        return StoreOutdated(f"the store in {folder} {what}; make it again with: {build_command(folder, paths='')}")


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
    manifest = store.Manifest(
        model=embedder.name,
        fingerprint=embedder.fingerprint,
        lane=embedder.lane,
        dim=embedder.dim,
        splitting=SPLITTING,
        passage_tokens=settings.passage_tokens,
    )
    store.build(settings.index, manifest, _embedded(named, embedder, settings, step))
    return len(named)


def checked_question(question: str) -> str:
    """The question in canonical form. Raises `InputRejected` where it is none."""
    question = unicodedata.normalize("NFC", question).strip()
    if not question:
        raise InputRejected('the question is empty; type one, as in: dispatch-qa ask "Who spoke?"')
    if len(question) > MAX_QUESTION_CHARS:
        raise InputRejected(
            f"the question has {len(question):,} characters; at most {MAX_QUESTION_CHARS:,} are read: shorten it"
        )
    if any(unicodedata.category(char) == "Cs" or char == "\0" for char in question):
        raise InputRejected("the question is not text: it holds bytes that are not UTF-8")
    if not any(char.isalnum() for char in question):
        raise InputRejected("the question holds no word and no number; ask in words")
    return question


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


def _embedded(
    dispatches: Iterable[Dispatch], embedder: Embedder, settings: Settings, step: Step
) -> Iterator[tuple[Dispatch, list[store.Embedded]]]:
    """Each dispatch with its passages and their vectors, one dispatch at a time."""
    limit = min(settings.passage_tokens, embedder.max_tokens)
    for dispatch in dispatches:
        passages = split(dispatch, embedder.count_tokens, limit)
        # A passage of one sentence has one vector for both; a dict keeps the order, and so the batches, the same.
        spans = list(dict.fromkeys(span for passage in passages for span in (passage.span, *passage.sentences)))
        texts = [span.of(dispatch.text) for span in spans]
        vector_of = dict(zip(spans, embedder.passages(texts), strict=True))
        yield (
            dispatch,
            [
                (passage, vector_of[passage.span], _rows([vector_of[span] for span in passage.sentences]))
                for passage in passages
            ],
        )
        step(1)


def _rows(vectors: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    import numpy as np

    return np.stack(vectors)
