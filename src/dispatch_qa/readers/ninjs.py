"""ninjs, the IPTC's news in JSON: versions 1, 2 and 3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, text
from dispatch_qa.readers.compose import Fields, compose, id_of
from dispatch_qa.readers.markup import html_paragraphs
from dispatch_qa.records import Dispatch

# Version 3 writes versionCreated where 1 and 2 write versioncreated; names are compared in small letters.
_SIGNS = frozenset({"versioncreated", "pubstatus", "headlines", "bodies", "representationtype", "contentcreated"})
_MARKUP = re.compile(r"<(?:p|div|section|br|h\d|ul|body)\b[^>]*>", re.IGNORECASE)


def sniff(head: bytes) -> bool:
    """Whether JSON with a field of ninjs begins here."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start[:1] in {b"{", b"["} and any(f'"{sign}"'.encode() in start.lower() for sign in (*_SIGNS, "body_text"))


def read(name: str, data: bytes) -> Iterator[Dispatch]:
    """The items of a file: one object, or a list of them.

    Raises:
        InputRejected: the file is no JSON, an item is not ninjs, or has no text.
    """
    value = parse(text.decode(data))
    items = value if isinstance(value, list) else [value]
    limits.at_most("items", len(items), limits.MAX_DISPATCHES)
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict) or not is_item(item):
            raise InputRejected("is JSON, but not ninjs: expected an object with a uri and bodies or headlines")
        yield dispatch(name if len(items) == 1 else f"{name}:{number}", item)


def parse(source: str) -> Any:
    """The value of a JSON text. Raises `InputRejected` where it is none, is too large or is nested too deeply."""
    limits.at_most("JSON values", sum(map(source.count, "[{,")), limits.MAX_JSON_VALUES)
    try:
        value = json.loads(source)
    except RecursionError as error:
        raise InputRejected("has JSON nested too deeply") from error
    except ValueError as error:
        raise InputRejected(f"is not JSON: {error}") from error
    return value


def is_item(record: dict[str, Any]) -> bool:
    """Whether a JSON object has the fields of ninjs."""
    names = {name.lower() for name in record}
    return bool(names & _SIGNS) or any(name.startswith(("body_", "headline_")) for name in names)


def dispatch(name: str, item: dict[str, Any]) -> Dispatch:
    """One item of ninjs as a dispatch; `name` is its id where it has no uri."""
    own = {key.lower(): value for key, value in item.items()}
    uri, version = own.get("uri") or own.get("guid"), own.get("version")
    advisory, headline = _text(own.get("ednote")), _headline(own)
    evolved = _text(own.get("evolvedfrom"))
    # A cancelling may come without the copy: it is kept, so that what it cancels is.
    body = _body(own) or [line for line in (headline, advisory) if line]
    if not body:
        raise InputRejected("has no text: neither a body nor a headline")
    fields = Fields(
        slug=_text(own.get("slugline")) or _text(own.get("slug")),
        headline=headline,
        byline=_text(own.get("byline")) or _text(own.get("by")) or _listed(own.get("bylines"), "byline"),
        located=_text(own.get("located")),
        agency=_text(own.get("provider")) or _text(own.get("copyrightholder")),
        language=_text(own.get("language")),
        filed_at=_text(own.get("versioncreated")) or _text(own.get("firstcreated")),
        version=_text(version),
        version_of=evolved or _text(uri),
        status=_text(own.get("pubstatus")),
        embargo=_text(own.get("embargoed")) or _text(own.get("embargoeduntil")),
        advisory=advisory,
    )
    return compose(id_of(uri, name, version), body, fields)


def _headline(own: dict[str, Any]) -> str | None:
    named = [own.get("headline"), own.get("headline_main")]
    named += [value for key, value in own.items() if key.startswith("headline_")]
    found = next(filter(None, map(_text, named)), None) or _listed(own.get("headlines"), "value")
    return " ".join(html_paragraphs(found)) if found and "<" in found else found


def _body(own: dict[str, Any]) -> str | list[str] | None:
    """The body, in the form that has paragraphs of its own where there are several forms."""
    found = [(key, value) for key, value in own.items() if key.startswith("body_")]
    for body in own.get("bodies") or [] if isinstance(own.get("bodies"), list) else []:
        if isinstance(body, dict):
            part = {key.lower(): value for key, value in body.items()}
            found.append((f"{part.get('role')} {part.get('contenttype')}", part.get("value")))
    texts = [(kind, value) for kind, value in found if isinstance(value, str) and value.strip()]
    for kind, value in texts:
        if ("html" in kind or _MARKUP.search(value)) and (paragraphs := html_paragraphs(value)):
            return paragraphs
    return texts[0][1] if texts else None


def _listed(values: object, name: str) -> str | None:
    """The value of the main entry of a list of objects, else of its first."""
    entries = [entry for entry in values if isinstance(entry, dict)] if isinstance(values, list) else []
    entries.sort(key=lambda entry: entry.get("role") != "main")
    return next(filter(None, (_text(entry.get(name)) for entry in entries)), None)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
