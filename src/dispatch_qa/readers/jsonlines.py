"""JSON Lines: one dispatch a line, under the names that such files use for its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, ninjs, text
from dispatch_qa.readers.compose import STATUS, Fields, compose, id_of
from dispatch_qa.records import Dispatch

_NAMES: dict[str, tuple[str, ...]] = {
    "slug": ("slug", "slugline"),
    "headline": ("title", "headline"),
    "byline": ("byline", "author", "by"),
    "dateline": ("dateline",),
    "agency": ("agency", "provider"),
    "credit": ("credit",),
    "language": ("language", "lang"),
    "filed_at": ("filed_at", "date", "published", "created", "timestamp"),
    "version": ("version",),
    "version_of": ("version_of",),
    "status": ("status", "pubstatus"),
    "embargo": ("embargo", "embargoed"),
    "advisory": ("advisory", "ednote"),
}
_IDS = ("id", "_id", "docid", "guid", "uri", "url")
_TEXTS = ("text", "body", "content", "contents")


def sniff(head: bytes) -> bool:
    """Whether the first line is an object by itself, and not the last."""
    first, end, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    return bool(end) and first.startswith(b"{") and first.rstrip().endswith(b"}")


def read(name: str, data: bytes) -> Iterator[Dispatch]:
    """Every line as a dispatch; a line with the fields of ninjs is read as ninjs.

    Raises:
        InputRejected: a line is no JSON object or has no text; the line is named, and nothing of the file is read.
    """
    lines = text.decode(data).split("\n")
    limits.at_most("lines", len(lines), limits.MAX_DISPATCHES)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _dispatch(f"{name}:{number}", ninjs.parse(line))
            except InputRejected as error:
                raise InputRejected(f"line {number}: {error}") from error


def _dispatch(name: str, record: object) -> Dispatch:
    if not isinstance(record, dict):
        raise InputRejected('is no JSON object; expected one dispatch a line, as in {"id": …, "text": …}')
    if ninjs.is_item(record):
        return ninjs.dispatch(name, record)
    own = {key.lower(): value for key, value in record.items()}
    body = next((own[key] for key in _TEXTS if isinstance(own.get(key), str)), None)
    if body is None:
        raise InputRejected(f"has no text; expected one of the fields {', '.join(_TEXTS)}")
    fields = {field: _first(own, names) for field, names in _NAMES.items()}
    # Files of this kind have no common vocabulary: a word such as "200" or "final" says nothing of publishing.
    if (fields["status"] or "").lower() not in STATUS:
        fields["status"] = None
    return compose(id_of(_first(own, _IDS), name), body, Fields(**fields))


def _first(record: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            return ", ".join(value)
    return None
