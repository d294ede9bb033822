"""What a truth file holds and how its rows are written: shared by those who read it and those who write it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.errors import StoreDamaged, build_command
from dispatch_qa.lexical import TERMS
from dispatch_qa.records import Dispatch, Filter, Passage, Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

APPLICATION_ID = 0x44_51_41_31  # "DQA1", in the header of the file
FORMAT = 3

FIELDS = [field.name for field in fields(Dispatch)]

MARKED = "(version IS NOT NULL OR advisory IS NOT NULL OR status IN ('corrected', 'withheld', 'canceled'))"
"""An SQL condition: the dispatch says of itself that it follows another take."""

LEXICAL = """CREATE VIRTUAL TABLE lexical
    USING fts5 (terms, content = '', tokenize = 'unicode61 remove_diacritics 0')"""

SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dispatch (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    {", ".join(f"{name} TEXT" for name in FIELDS)},   -- marks and pages as JSON
    sha256 TEXT NOT NULL,                             -- of the text
    digest BLOB NOT NULL                              -- of the row: SQLite does not notice a flipped bit
);
CREATE UNIQUE INDEX dispatch_of_id ON dispatch (id);
CREATE INDEX dispatch_of_text ON dispatch (sha256);
CREATE INDEX dispatch_of_story ON dispatch (coalesce(version_of, id), version, filed_at, status, embargo, id);
CREATE INDEX dispatch_of_slug ON dispatch (slug) WHERE slug IS NOT NULL;
CREATE INDEX dispatch_unchained ON dispatch (slug) WHERE version_of IS NULL AND {MARKED};
CREATE INDEX dispatch_of_headline ON dispatch (headline) WHERE headline IS NOT NULL;
CREATE INDEX dispatch_of_source ON dispatch (source) WHERE source IS NOT NULL;
CREATE INDEX dispatch_apart ON dispatch (id) WHERE status IN ('withheld', 'canceled') OR embargo IS NOT NULL;
-- All that a filter asks for, without the texts.
CREATE INDEX dispatch_filter ON dispatch (filed_at, language, agency, slug, status, source, id);
-- The files that the dispatches came from, so that one that has not changed is not read again.
CREATE TABLE source (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: the search index may name what is gone, nothing else
    dispatch_id TEXT NOT NULL REFERENCES dispatch (id),
    paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL,                 -- code points into dispatch.text
    "end" INTEGER NOT NULL,
    sentences TEXT NOT NULL,                -- JSON [[start, end], …], code points into dispatch.text
    vector BLOB NOT NULL,                   -- float32 (dim,), unit length, little endian
    sentence_vectors BLOB NOT NULL,         -- float16 (sentences, dim), little endian: half the size, same ranking
    digest BLOB NOT NULL
);
CREATE INDEX passage_of_dispatch ON passage (dispatch_id);
-- The generations that this store has been through since it was built: an index made at one of them can be mended.
CREATE TABLE passed (number INTEGER PRIMARY KEY AUTOINCREMENT, generation TEXT NOT NULL);
-- From here on derived, but committed with what it is derived from: the terms of each passage, without its text;
-- the keys of each dispatch, by which those that may repeat it are found; the passages that repeat each other,
-- by one label.
{LEXICAL};
CREATE VIRTUAL TABLE lexical_term USING fts5vocab (lexical, row);
CREATE TABLE likeness (key INTEGER, dispatch_id TEXT, PRIMARY KEY (key, dispatch_id)) WITHOUT ROWID;
CREATE INDEX likeness_of_dispatch ON likeness (dispatch_id);
CREATE TABLE alike (passage_id INTEGER PRIMARY KEY, label INTEGER NOT NULL);
CREATE INDEX alike_of_label ON alike (label);
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store was made with, and what it holds at one moment.

    `lane` is how its vectors were computed, `terms` the rules by which its words were cut. `generation` is a digest
    of its content, which derived files carry too; `content` the sum of its rows' digests, `dispatches` and
    `passages` their number, `last` the highest id that a passage has had. `untidy` tells that something was
    removed of which traces may be left in what is derived.
    """

    model: str
    fingerprint: str
    lane: str
    dim: int
    splitting: int
    passage_tokens: int
    generation: str = ""
    terms: int = TERMS
    content: str = "0"
    dispatches: int = 0
    passages: int = 0
    last: int = 0
    untidy: bool = False

    def rows(self) -> list[tuple[str, str]]:
        """The rows of the table, with a digest over all of them."""
        told = asdict(self)
        return [(key, json.dumps(value)) for key, value in [*told.items(), ("digest", _digest_of(told))]]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Manifest:
        """The manifest that was stored. Raises `ValueError` or `TypeError` where it is not."""
        told = {key: json.loads(value) for key, value in rows}
        digest = told.pop("digest", None)
        manifest = cls(**told)
        if digest != _digest_of(told):
            raise ManifestChanged
        return manifest


class ManifestChanged(Exception):
    """The manifest makes sense, but it is not the one that was stored."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its text and vectors.

    `vector` is float32 (dim,), `sentence_vectors` float32 (sentences, dim); rows of unit length. `copies` are the
    dispatches that repeat it nearly word for word.
    """

    id: int
    passage: Passage
    text: str
    vector: npt.NDArray[np.float32]
    sentence_vectors: npt.NDArray[np.float32]
    copies: tuple[str, ...] = ()


Embedded = tuple[Passage, "npt.NDArray[np.float32]", "npt.NDArray[np.float32]"]
"""A passage, its vector (dim,) and its sentences' vectors (sentences, dim)."""


def digest_of(values: Sequence[object]) -> bytes:
    """A short digest of a row, to notice what changed behind the database's back."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _digest_of(told: dict[str, object]) -> str:
    return digest_of(sorted(told.items())).hex()


def dispatch_row(dispatch: Dispatch) -> tuple[object, ...]:
    """A dispatch as the columns of its table behind `number`."""
    fielded: dict[str, object] = {name: getattr(dispatch, name) for name in FIELDS}
    fielded["marks"] = json.dumps([(name, span.start, span.end) for name, span in dispatch.marks])
    fielded["pages"] = json.dumps(dispatch.pages)
    values = (*fielded.values(), dispatch.sha256)
    return (*values, digest_of(values))


def dispatch_of(row: Sequence[Any]) -> Dispatch:
    """The dispatch of the columns `FIELDS`."""
    fielded = dict(zip(FIELDS, row, strict=True))
    fielded["marks"] = tuple((name, Span(start, end)) for name, start, end in json.loads(fielded["marks"]))
    fielded["pages"] = tuple(json.loads(fielded["pages"]))
    return Dispatch(**fielded)


def passage_row(number: int, embedded: Embedded) -> tuple[object, ...]:
    """A passage as the columns of its table."""
    passage, vector, sentence_vectors = embedded
    spans = json.dumps([(span.start, span.end) for span in passage.sentences])
    vectors = (vector.astype("<f4").tobytes(), sentence_vectors.astype("<f2").tobytes())
    values = (number, passage.dispatch_id, passage.paragraph, passage.span.start, passage.span.end, spans, *vectors)
    return (*values, digest_of(values))


def embedded_of(dispatch_id: str, row: Sequence[Any], dim: int) -> Embedded:
    """A passage with its vectors, of the columns paragraph, start, end, sentences, vector and sentence_vectors."""
    import numpy as np

    paragraph, start, end, spans, vector, sentence_vectors = row
    sentences = tuple(Span(*pair) for pair in json.loads(spans))
    inside = np.frombuffer(sentence_vectors, "<f2").reshape(-1, dim).astype(np.float32)
    passage = Passage(dispatch_id, paragraph, Span(start, end), sentences)
    return passage, np.frombuffer(vector, "<f4").astype(np.float32), inside


def filtering(where: Filter | None) -> tuple[str, list[str]]:
    """A filter as an SQL condition over the columns of a dispatch, and its values."""
    if where is None:
        return "1", []
    # Days compare as their first ten letters do; what has no date was filed on none.
    tests = {
        "substr(filed_at, 1, 10) >= ?": where.since,
        "substr(filed_at, 1, 10) <= ?": where.until,
        "language = ?": where.language,
        "lower(agency) = lower(?)": where.agency,
        "lower(slug) = lower(?)": where.slug,
        "coalesce(status, 'usable') = ?": where.status,
        "instr('/' || replace(source, '\\', '/'), '/' || ? || '/') > 0": where.folder and where.folder.strip("/"),
    }
    given = {test: value for test, value in tests.items() if value is not None}
    return " AND ".join(given) or "1", list(given.values())


def damaged(folder: Path, what: str) -> StoreDamaged:
    """The error that says `what` is wrong with the store in `folder`, and what to type."""
    return StoreDamaged(
        f"the store in {folder} is damaged: {what}; restore it from a copy, or make it again from the "
        f"dispatches with: {build_command(folder, force=True)}"
    )
