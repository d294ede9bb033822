"""The records that cross the stages: read → split → embed → store → retrieve → answer → present.

Offsets are code points into `Dispatch.text`, end exclusive, so that `text[start:end]` is the quote.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a dispatch's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, got {self.start}:{self.end}")

    def of(self, text: str) -> str:
        """The slice of `text` that this span names."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Dispatch:
    r"""One piece of wire copy.

    `text` is canonical (NFC, `\n` line ends, otherwise untouched). `language` is an ISO 639-1 code, or
    "und" where it could not be told. The wire's own fields are `None` where the copy does not have them.

    `status` is "usable", "corrected", "withheld" or "canceled"; `None` counts as usable. `filed_at` and `embargo`, the
    instant before which the copy may not be published, are ISO 8601. `advisory` is the wire's line to
    editors on what changed. `version_of` is the id that the takes of one story share. `source` is the
    file that it was read from. `marks` tell where fields stand in the text, as (field, span);
    `pages` are the offsets at which the pages of a paged format begin.
    """

    id: str
    text: str
    language: str = "und"
    slug: str | None = None
    headline: str | None = None
    agency: str | None = None
    byline: str | None = None
    credit: str | None = None
    dateline: str | None = None
    filed_at: str | None = None
    version: str | None = None
    version_of: str | None = None
    status: str | None = None
    embargo: str | None = None
    advisory: str | None = None
    source: str | None = None
    marks: tuple[tuple[str, Span], ...] = ()
    pages: tuple[int, ...] = ()

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dispatches may answer; `None` asks for nothing.

    `since` and `until` are days (YYYY-MM-DD), both included, on which the copy was filed; copy without a date is
    let through by neither. `agency` and `slug` match whatever the case of their ASCII letters. `status` is as in
    `Dispatch`. `folder` is any run of whole folder names on the way to the source file, as in "wire/2025".
    """

    since: str | None = None
    until: str | None = None
    language: str | None = None
    agency: str | None = None
    slug: str | None = None
    status: str | None = None
    folder: str | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            value = getattr(self, name)
            if value is not None and date.fromisoformat(value).isoformat() != value:
                raise ValueError(f"{name} is {value!r}; expected a day as YYYY-MM-DD")


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences inside one paragraph: the unit that is embedded, indexed and quoted.

    `paragraph` counts from 1. `sentences` lie inside the passage, in order, without overlap.
    """

    dispatch_id: str
    paragraph: int
    span: Span
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found for a question, and why.

    `score` ranks: higher is better, in [-1, 1]. `dense` is the cosine of question and passage, `sentence`
    that of question and the closest sentence, both in [-1, 1] and less what any question would have;
    `lexical` is the share of the question's words, by their weight, that the passage holds, in [0, 1].
    `best` is the sentence to show as evidence. `copies` are the ids of dispatches that say the same nearly
    word for word.

    Where a reader has read the passage, `here` is its logit that the passage answers, `answer` the words that
    answer best, inside `best`, and `probability`, in [0, 1], that the passage answers; `here` then ranks with `score`.
    """

    passage: Passage
    best: Span
    score: float
    dense: float
    sentence: float
    lexical: float
    copies: tuple[str, ...] = ()
    here: float | None = None
    answer: Span | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a dispatch and where they stand."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Citation:
    """One numbered source of an answer: the passage, letter for letter, and the evidence inside it.

    `version` and `sha256`, of the text, say which text was quoted. `note` tells what the reader must know of it,
    as that it is a corrected version. `copies` are the dispatches that say the same nearly word for word. `page`, of a
    paged format, counts from 1 and is the one on which the evidence begins.

    `answer` is the words inside the evidence that answer, and `probability`, in [0, 1], that they do; `None` where no
    reader has read the passage, or found nothing in it. `said_by` is the words in the evidence that name who said it,
    where it reports or quotes.
    """

    number: int
    dispatch_id: str
    language: str
    paragraph: int
    start: int
    end: int
    quote: str
    evidence: Quote
    score: float
    version: str | None = None
    sha256: str = ""
    note: str | None = None
    copies: tuple[str, ...] = ()
    page: int | None = None
    answer: Quote | None = None
    probability: float | None = None
    said_by: Quote | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A dispatch that would have been cited, and why it was not: `kind` is withdrawn, held or embargoed."""

    dispatch_id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the dispatches say to a question, or that they do not say.

    `confidence` is the calibrated probability in [0, 1] that the dispatches answer the question, `None`
    where no calibration fits the store's model. If not `supported`, `citations` is empty and `nearest`
    holds the closest passages, which do not answer. `left_out` names what may not be quoted, but fits.
    """

    question: str
    supported: bool
    confidence: float | None
    text: str
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A run of sentences that a take dropped and the run that came in its place; one of them may be empty."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusing:
    """What refusing below `threshold` does, on questions that it was not fitted to; shares in [0, 1].

    Of what is refused, `precision` is not answered by the dispatches. Of what they do not answer, `recall` is refused.
    Of what they do answer, `answered` is let through. `None` is not measured.
    """

    threshold: float
    precision: float | None = None
    recall: float | None = None
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """What a store holds and what it was made with."""

    index: Path
    dispatches: list[str]
    passages: int
    model: str
    fingerprint: str
    lane: str
    dim: int
    generation: str
    refusing: Refusing | None
    """`None` where nothing is refused, because no calibration fits the model."""
    reader: str | None = None
