"""Dispatches to embedded passages: split, then embedded, by the model that a store was made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch_qa import store
from dispatch_qa.embed import AGREEING_LANES, Embedder, load_embedder
from dispatch_qa.errors import StoreOutdated, build_command
from dispatch_qa.records import Dispatch, Passage, Span
from dispatch_qa.settings import Settings
from dispatch_qa.split import SPLITTING, split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Say = Callable[[str], None]

Key = tuple[str, tuple[tuple[int, int], ...]]
"""What a passage's vectors hang on: its text, and where its sentences stand in it."""

Known = Mapping[Key, store.Embedded]
"""Passages that were embedded before."""


def embedder_of(manifest: store.Manifest, settings: Settings, given: Embedder | None, say: Say) -> Embedder:
    """The embedder of a store: `given`, or the model that the store names.

    Raises:
        StoreOutdated: its vectors are not those of the store.
        ModelError: there is no such model here.
    """
    embedder = given or load_embedder(manifest.model, settings.cache, settings.batch_size, settings.lane, say)
    check_fingerprint(manifest, embedder.fingerprint, settings.index)
    if embedder.lane != manifest.lane and not {embedder.lane, manifest.lane} <= AGREEING_LANES:
        what = f"holds vectors computed by {manifest.lane}, which {embedder.lane} does not agree with"
        raise outdated(settings.index, what)
    return embedder


def check_fingerprint(manifest: store.Manifest, fingerprint: str, folder: Path) -> None:
    """Raise `StoreOutdated` unless the store's vectors are of that model."""
    if fingerprint != manifest.fingerprint:
        raise outdated(folder, f"holds vectors of {manifest.model} ({manifest.fingerprint}), not of {fingerprint}")


def check_splitting(manifest: store.Manifest, folder: Path) -> None:
    """Raise `StoreOutdated` unless the store's dispatches were split as they would be today."""
    if manifest.splitting != SPLITTING:
        raise outdated(folder, f"was split by rules {manifest.splitting}, this version has {SPLITTING}")


def outdated(folder: Path, what: str) -> StoreOutdated:
    """The error for a store that has to be made again from its own text."""
    return StoreOutdated(f"the store in {folder} {what}; make it again with: {build_command(folder, paths='')}")


def manifest_of(embedder: Embedder, settings: Settings) -> store.Manifest:
    """The manifest of a new store."""
    return store.Manifest(
        model=embedder.name,
        fingerprint=embedder.fingerprint,
        lane=embedder.lane,
        dim=embedder.dim,
        splitting=SPLITTING,
        passage_tokens=settings.passage_tokens,
    )


def embedded(
    dispatch: Dispatch, embedder: Embedder, passage_tokens: int, known: Known | None = None
) -> list[store.Embedded]:
    """The passages of a dispatch with their vectors; those that are `known` are not embedded again."""
    known = known or {}
    passages = split(dispatch, embedder.count_tokens, min(passage_tokens, embedder.max_tokens))
    new = [passage for passage in passages if key_of(passage, dispatch.text) not in known]
    # A passage of one sentence has one vector for both; a dict keeps the order, and so the batches, the same.
    spans = list(dict.fromkeys(span for passage in new for span in (passage.span, *passage.sentences)))
    vectors = list(embedder.passages([span.of(dispatch.text) for span in spans])) if spans else []
    vector_of = dict(zip(spans, vectors, strict=True))
    return [_with_vectors(passage, dispatch.text, vector_of, known) for passage in passages]


def key_of(passage: Passage, text: str) -> Key:
    """The key of a passage of a dispatch's text."""
    first = passage.span.start
    return passage.span.of(text), tuple((span.start - first, span.end - first) for span in passage.sentences)


def _with_vectors(
    passage: Passage, text: str, vector_of: Mapping[Span, npt.NDArray[np.float32]], known: Known
) -> store.Embedded:
    import numpy as np

    if passage.span in vector_of:
        return passage, vector_of[passage.span], np.stack([vector_of[span] for span in passage.sentences])
    _, vector, inside = known[key_of(passage, text)]
    return passage, vector, inside
