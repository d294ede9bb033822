"""What a format gives, put together as a dispatch: one way for all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from dispatch_qa.errors import InputRejected
from dispatch_qa.language import UNKNOWN, identify
from dispatch_qa.readers import limits, wire
from dispatch_qa.records import Dispatch, Span

MAX_ID_CHARS = 300

# Public status words of ninjs, NewsML-G2 and NITF, and what each means here. A word that is none holds the copy back.
STATUS = {
    "usable": "usable",
    "withheld": "withheld",
    "embargoed": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
    "killed": "canceled",
    "corrected": "corrected",
}


_ABOVE = ("headline", "byline", "dateline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A dispatch's fields as a format carries them, apart from the text; `None` and "" where it does not.

    Dates and the embargo are as written. `located` is the place of the dateline, where it is no part of the text.
    """

    slug: str | None = None
    headline: str | None = None
    byline: str | None = None
    dateline: str | None = None
    located: str | None = None
    agency: str | None = None
    credit: str | None = None
    language: str | None = None
    filed_at: str | None = None
    version: str | None = None
    version_of: str | None = None
    status: str | None = None
    embargo: str | None = None
    advisory: str | None = None


def compose(dispatch_id: str, body: str | Iterable[str], fields: Fields | None = None) -> Dispatch:
    r"""A dispatch of `body`, a text or its paragraphs, and of the fields that the format carries apart.

    Headline, byline and dateline that the body does not begin with become its first paragraphs, in this order, so
    that they can be quoted. A field that the format does not carry is taken from the copy, as the wire writes it.

    Raises:
        InputRejected: there is no text, or it is not text.
    """
    fields = fields or Fields()
    text = canonical(body if isinstance(body, str) else "\n\n".join(filter(None, map(str.strip, body))))
    limits.at_most("characters", len(text), limits.MAX_TEXT_CHARS)
    if not text.strip():
        raise InputRejected("is empty; expected the text of a dispatch")
    lines = {name: line for name in _ABOVE if (line := _line(getattr(fields, name)))}
    below = {name: place for name, line in lines.items() if (place := _begins(text, name, line))}
    if below.keys() < lines.keys() and "headline" in below:
        # A line is missing below the headline: take the headline off the text, to put all of them above it.
        text = text[below.pop("headline").end :].lstrip("\n")
        below = {name: place for name, line in lines.items() if name in below and (place := _begins(text, name, line))}
    above, marks = "", dict[str, Span]()
    for name, line in lines.items():
        if name not in below:
            marks[name] = Span(len(above), len(above) + len(line))
            above += f"{line}\n\n"
    found = wire.find(text)
    below |= {name: span for name, span in found.marks if getattr(fields, name, None) in {None, "", span.of(text)}}
    marks |= {
        name: Span(span.start + len(above), span.end + len(above)) for name, span in below.items() if name not in marks
    }
    text = checked(above + text)

    def value(name: str) -> str | None:
        return _line(getattr(fields, name)) or found.fields.get(name)

    embargo, status = _embargo(fields.embargo), STATUS.get((fields.status or "").strip().lower())
    if embargo == "" or (fields.status and status is None):
        embargo, status = None, status if status == "canceled" else "withheld"
    return Dispatch(
        id=dispatch_id,
        text=text,
        language=_language(fields.language) or identify(_prose(text, marks)),
        slug=value("slug"),
        headline=value("headline"),
        agency=value("agency"),
        byline=value("byline"),
        credit=value("credit"),
        dateline=value("dateline") or _line(fields.located),
        filed_at=instant(fields.filed_at),
        version=value("version"),
        version_of=_line(fields.version_of),
        status=found.fields.get("status", status) if status in {None, "usable"} else status,
        embargo=embargo or found.fields.get("embargo"),
        advisory=value("advisory"),
        marks=tuple(sorted(marks.items(), key=lambda mark: mark[1].start)),
    )


def _prose(text: str, marks: dict[str, Span]) -> str:
    """The text below its last line in the wire's own code, which is of no language."""
    start = max((marks[name].end for name in ("slug", "take", "advisory", "embargo") if name in marks), default=0)
    return text[start:].strip() or text


def _begins(text: str, name: str, line: str) -> Span | None:
    """Where `line` stands at the beginning of the text: the headline as its first line, the dateline as some line."""
    at = text.find(line, 0, 2_000)
    if (
        at < 0
        or (name == "headline" and (text[:at].strip() or text[at + len(line) : at + len(line) + 1] not in {"\n", ""}))
        or (name == "dateline" and text[:at].strip(" ")[-1:] not in "\n")
    ):
        return None
    return Span(at, at + len(line))


def id_of(own: object, name: str, version: object = None) -> str:
    """The id of a dispatch: `own`, the one that the format carries, with its version, else `name`."""
    line = _line(str(own)) if isinstance(own, str | int) else None
    if not line:
        return name
    limits.at_most("characters in its id", len(line), MAX_ID_CHARS)
    take = _line(str(version)) if isinstance(version, str | int) else None
    return f"{line}@{take}" if take else line


def canonical(text: str) -> str:
    r"""NFC with `\n` line ends; nothing else is touched."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def checked(text: str) -> str:
    """`text`, where it is text. Raises `InputRejected` for a NUL and for half a character (a lone surrogate)."""
    if "\0" in text:
        raise InputRejected(f"is not text: it holds a NUL at character {text.index(chr(0))}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputRejected(f"is not text: it holds half a character at {error.start}") from error
    return text


def instant(written: str | None) -> str | None:
    """A date or an instant in ISO 8601, extended or basic, in the extended form; `None` where it is none."""
    written = (written or "").strip()
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return when.date().isoformat() if re.fullmatch(r"[\d-]{8,10}", written) else when.isoformat()


def _embargo(written: str | None) -> str | None:
    """The embargo as an instant with its zone; "" where one is written that cannot be read."""
    if not (written or "").strip():
        return None
    when = instant(written)
    if when is None:
        return ""
    moment = datetime.fromisoformat(when)
    # Without a zone the last one on earth counts: freed too late rather than too early.
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone(timedelta(hours=-12)))).isoformat()


def _language(code: str | None) -> str | None:
    found = re.match(r"([a-z]{2})(?:[-_]|\Z)", (code or "").strip().lower())
    return found[1] if found and found[1] != UNKNOWN else None


def _line(value: str | None) -> str | None:
    """A field's value on one line, canonical; `None` where nothing is in it."""
    line = checked(" ".join(canonical(value or "").split()))
    return "".join(char if char.isprintable() else "�" for char in line) or None
