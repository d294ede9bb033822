"""The words that answer: a small extractive reader over the default model. Other models have none."""

from __future__ import annotations

from pathlib import Path

from dispatch_qa.models import FINGERPRINT, Progress, prepare_default_model
from dispatch_qa.reader.protocol import Found, Reader, Reading
from dispatch_qa.reader.weights import name

__all__ = ["Found", "Reader", "Reading", "load_reader", "reader_name"]


def reader_name(fingerprint: str) -> str | None:
    """The name of the reader for the model of that fingerprint; `None` where it has none."""
    return name() if fingerprint == FINGERPRINT else None


def load_reader(fingerprint: str, cache: Path, progress: Progress = lambda line: None) -> Reader | None:
    """The reader for the model of that fingerprint, prepared on first use; `None` where it has none.

    `progress` is told why a reader that the model should have is off.

    Raises:
        ModelError: it could not be prepared.
    """
    if fingerprint != FINGERPRINT:
        return None
    reader = name()
    if reader is None:
        progress("The reader is off: this copy of dispatch-qa came without its weights; answers are sentences")
        return None
    from dispatch_qa.embed.onnx_lane import prepare_lane
    from dispatch_qa.reader.onnx_reader import OnnxReader, prepare_reader

    folder = prepare_default_model(cache, progress)
    if not prepare_lane(folder, progress):  # its token tables are the reader's too
        return None
    place = prepare_reader(folder, reader, progress)
    return OnnxReader(folder, place) if place else None
