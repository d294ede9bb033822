"""What the API takes and gives, field by field, as its OpenAPI document tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dispatch_qa.errors import InputRejected
from dispatch_qa.records import Citation, Filter, LeftOut, Refusing, Span
from dispatch_qa.settings import MAX_QUESTION_CHARS

MAX_ID_CHARS = 1_000
MAX_FIELD_CHARS = 1_000

Wanted = Annotated[str | None, Field(max_length=MAX_FIELD_CHARS)]


class Where(BaseModel):
    """Which dispatches may answer. What is left out, null or blank asks for nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    since: Wanted = Field(None, description="A day as YYYY-MM-DD: filed then or later.", examples=["2025-01-12"])
    until: Wanted = Field(None, description="A day as YYYY-MM-DD: filed then or earlier.", examples=["2025-01-31"])
    language: Wanted = Field(None, description="ISO 639-1.", examples=["fr"])
    agency: Wanted = Field(None, description="Of whatever case.", examples=["AFP"])
    slug: Wanted = Field(None, description="Of whatever case.")
    status: Wanted = Field(None, description='"usable" or "corrected".')
    folder: Wanted = Field(None, description="Folder names on the way to the source file.", examples=["wire/2025"])


class Question(BaseModel):
    """A question in any language."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARS, examples=["Which British firms attended?"])
    k: int | None = Field(None, ge=1, le=100, description="At most so many passages; 3 where it is left out.")
    where: Where | None = None


class Judgement(BaseModel):
    """Whether a passage that was found for a question answers it. `start` and `end` are the passage's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARS)
    dispatch_id: str = Field(min_length=1, max_length=MAX_ID_CHARS)
    start: int = Field(ge=0, le=1 << 40)
    end: int = Field(ge=1, le=1 << 40)
    relevant: bool
    where: Where | None = Field(None, description="The filter with which the passage was found.")


class Problem(BaseModel):
    """Why a request was refused, in words for a person."""

    status: int
    message: str


class Refused(BaseModel):
    """An error."""

    error: Problem


class AnswerBody(BaseModel):
    """As `dispatch-qa ask --json`. Offsets are code points into the dispatch's text, ends exclusive."""

    schema_version: Literal[1]
    question: str
    supported: bool
    confidence: float | None
    answer: str
    citations: list[Citation]
    nearest: list[Citation]
    left_out: list[LeftOut]


class Parts(BaseModel):
    """What a score is made of."""

    dense: float
    sentence: float
    lexical: float
    here: float | None = Field(
        description="The logit of the reader that the passage answers; null where none has read it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HitBody(Citation):
    """A passage that was found: as a citation, with the parts of its score."""

    parts: Parts


class SearchBody(BaseModel):
    """As `dispatch-qa search --json`."""

    schema_version: Literal[1]
    question: str
    hits: list[HitBody]


class DispatchBody(BaseModel):
    """As `dispatch-qa show --json`: the dispatch with all the wire's fields, and its text's SHA-256."""

    schema_version: Literal[1]
    id: str
    text: str
    language: str
    slug: str | None
    headline: str | None
    agency: str | None
    byline: str | None
    credit: str | None
    dateline: str | None
    filed_at: str | None
    version: str | None
    version_of: str | None
    status: str | None
    embargo: str | None
    advisory: str | None
    source: str | None
    marks: list[tuple[str, Span]]
    pages: list[int]
    sha256: str


class InfoBody(BaseModel):
    """As `dispatch-qa info --json`; of the folder, only its name."""

    schema_version: Literal[1]
    index: str
    dispatches: list[str]
    passages: int
    model: str
    fingerprint: str
    lane: str
    dim: int
    generation: str
    refusing: Refusing | None
    reader: str | None


class Kept(BaseModel):
    """Under which names a judgement was kept."""

    query_id: str
    corpus_id: str


class AddedBody(BaseModel):
    """What became of a file, and the ids of its dispatches."""

    name: str
    outcome: Literal["added", "replaced", "unchanged", "repeated"]
    ids: list[str]


def filter_of(given: Where | Mapping[str, str | None] | None) -> Filter | None:
    """The filter that was asked for, if any. Raises `InputRejected` where a day is none, or a word no text."""
    fields = given.model_dump() if isinstance(given, Where) else given or {}
    wanted = {name: value.strip() for name, value in fields.items() if value and value.strip()}
    try:
        "".join(wanted.values()).encode()
        return Filter(**wanted) if wanted else None
    except UnicodeEncodeError as error:
        raise InputRejected("what the dispatches are narrowed to is not text") from error
    except ValueError as error:
        raise InputRejected("a day is written as year, month and day, as in 2025-01-12") from error
