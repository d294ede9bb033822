"""The wire's own fields, found inside plain copy, and where they stand.

Copy in French, English, German, Spanish and Ukrainian is known. Nothing is guessed: a line that is not written in
one of the wire's own forms gives no field. Pure functions over canonical text; offsets are code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo

from dispatch_qa.readers import wire_words as words
from dispatch_qa.records import Span

HEAD_LINES = 14
"""So many lines from the top, at most, stand above the body."""

_UPPER = r"[^\W\d_a-zà-öø-ÿßа-яёґєії]"
_NAME = r"[^\W\d_a-zà-öø-ÿßа-яёґєії][^\W\d_'’]*(?:['’-][^\W\d_]+)*\.?"  # a word that begins with a capital
_SMALL = r"de|du|des|la|le|les|del|der|den|am|an|im|in|of|on|upon|sur|sous|en|près|y|і|та|von|van|da|dos"
_DASH = r"[ \t\u00a0\u202f]*(?:\.?[ \t]*(?:--|[-–—])|:)(?=\s|\w|[«\"„“'])"

_MONTH = "|".join(words.MONTHS.values())
_DATE = (
    rf"(?:(?P<day>\d{{1,2}})(?:er|\.|º|th|st|nd|rd)?\s(?:de\s)?(?P<month>{_MONTH})\b\.?(?:,?\s(?:de\s)?(?P<year>\d{{4}}))?"
    rf"|(?P<month2>{_MONTH})\b\.?\s(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<year2>\d{{4}}))?)"
)
_PLAIN_DATE = re.sub(r"\?P<\w+>", "?:", _DATE)
_DAY_DATE = rf"(?i:(?:[^\W\d_]{{2,10}}\.?,?\s)?{_PLAIN_DATE}(?:\sр\.)?)"

# "NEW YORK", "KYIV/LONDON", "WASHINGTON, D.C."
_CAPITALS = rf"{_UPPER}(?:{_UPPER}|[ '’./-](?={_UPPER})|\.(?=[ ,])){{1,40}}"
_REGION = rf"(?:{_NAME}|{_UPPER}\.{_UPPER}\.)(?: (?:{_NAME}|{_SMALL})){{0,3}}"
# Not "Am 3. Mai" or "El 4 de mayo".
_PLACE = rf"(?![^\W\d_]{{1,4}} \d){_NAME}(?:[ /](?:{_NAME}|{_SMALL}|\((?:Oder|Main|Saale)\))){{0,4}}"
_AGENCY = r"(?P<agency>[^\W\d_][\w ./&-]{0,30}\w)"
_KNOWN = rf"(?P<agency>(?:{words.AGENCIES})(?:[/-](?:{words.AGENCIES}))?)"

_DATELINES = tuple(
    re.compile(pattern)
    for pattern in (
        # "KIEV, 12 janvier (Reuters) -"
        rf"(?P<dateline>{_CAPITALS}(?:, {_REGION})?,? {_DAY_DATE}),? ?\({_AGENCY}\){_DASH}",
        # "Berlin (dpa) -": small letters or no date, so the agency must be one that is known.
        rf"(?P<dateline>{_PLACE}(?:, {_REGION})?(?:,? {_DAY_DATE})?),? ?\({_KNOWN}\){_DASH}",
        # "Київ. 12 червня. ІНТЕРФАКС-УКРАЇНА -"
        rf"(?P<dateline>{_PLACE}\. {_DAY_DATE})\. {_KNOWN}(?:\.|{_DASH})",
        # "КИЇВ, 12 червня -": no agency, so the date must be there.
        rf"(?P<dateline>{_CAPITALS}(?:, {_REGION})?, {_DAY_DATE}){_DASH}",
    )
)

_CREDIT = re.compile(
    rf"\((?P<credit>(?:{words.CREDITS})(?:\s*:|\s(?:{words.CREDIT_JOINTS})(?:\b|(?<=['’]))|\s(?={_UPPER}))[^()\n]+)\)"
    r"(?:\s*(?:\(\([^()\n]*\)\)|©[^\n]*|NNNN|END|###|-30-))*\s*\Z"
)
_SLUG = re.compile(
    rf"(?:(?:{words.SLUGS})\s*:\s*(?P<named>\S.{{0,78}}\S)"
    rf"|(?P<slug>[A-ZÀ-ÖØ-ÞА-ЯҐЄІЇ0-9]{{2,}}(?:[-/][A-ZÀ-ÖØ-ÞА-ЯҐЄІЇ0-9]{{2,}}){{1,5}}/?)(?:\s*\((?P<takes>[^()\n]{{3,40}})\))?)\Z"
)
_STATUS = "|".join((words.CORRECTED, words.CANCELED, words.WITHHELD, words.REPEATED, words.LOUD))
_TAKE = re.compile(
    rf"(?:(?P<update>(?:{words.UPDATES})(?:\s(?:N[°º]\s?)?(?P<number>\d{{1,3}}))?)|(?P<status>{_STATUS}))(?!\w)"
    r"(?P<gap>\s?(?:[-–—:/]|\s[-–—])\s?|\s*\Z)"
)
_BYLINE = re.compile(
    rf"(?:{words.BYLINES}):?\s(?P<byline>{_NAME}(?:(?:,| and| et| und| y| та| і| &)? (?:{_NAME}|{_SMALL})){{1,12}}"
    rf"(?:,\s(?:{words.AGENCIES}))?)\Z"
)
_NO_NAME = re.compile(r"\b(?:The|And|Of|To|For|With|Le|Les|Und|Die|Das|Los|Las|El)\b")
_ADVISORY = re.compile(
    rf"\((?P<advisory>(?:(?P<correcting>{words.CORRECTING})|{words.ADVISING})(?!\w)[^()]{{2,600}}(?:\([^()]*\)[^()]*)*)\)\Z"
)
_EDITORS = re.compile(rf"(?P<advisory>(?:{words.EDITORS})\s?(?::|-{{1,2}}|–|—)\s?\S.{{5,400}})\Z")
_EMBARGO = re.compile(rf"[\W_]*(?P<embargo>{words.EMBARGOES}(?!\w).{{0,160}})\Z")
_ISO_DATE = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T?"
_DOTTED_DATE = r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"
_TIME = re.compile(
    r"(?<![\d.])(?P<hour>[01]?\d|2[0-3])(?:\s?(?:[:.hH]\s?(?P<minute>[0-5]\d)|h\b))(?::\d\d)?(?!\d)"
    r"|(?<!\d)(?P<bare>\d{1,2})\s?(?=Uhr|год|[ap]\.?m\b)"
)
_LINE = re.compile(r"\S[^\n]*")
_ZONE = re.compile(r"(?:GMT|UTC|\d)\s?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?(?!\d)")


Piece = tuple[str, int, int, str]
"""A field, where it stands, and its value."""

_SEVERITY = ("canceled", "withheld", "corrected")


@dataclass(frozen=True, slots=True)
class Wire:
    """What was found: fields of `Dispatch` by name, and each with the place where it stands."""

    fields: dict[str, str] = field(default_factory=dict)
    marks: tuple[tuple[str, Span], ...] = ()


def find(text: str) -> Wire:
    """The wire's fields in `text`, which is canonical.

    Found are slug, version, status, headline, byline, embargo, advisory, dateline and agency above the body, and the
    credit line at the very end. An embargo that cannot be read as an instant makes the status "withheld". The mark
    "take" stands at the first of "UPDATE 2", "CORRECTED", "REFILE", "URGENT" and their like.
    """
    pieces: list[Piece] = []
    headline: Piece | None = None
    for start, line in _head(text):
        found, at = dateline_of(line), 0
        if not found:
            found, at = _above(line)
        pieces += [(name, start + piece_start, start + end, value) for name, piece_start, end, value in found]
        if found and found[0][0] == "dateline":
            break
        # What stands behind "UPDATE 2-" is the headline; a second such line begins the body.
        rest = line[at:]
        if rest and headline is None and len(rest) <= 250 and rest[-1] not in ".,;:…":
            headline = ("headline", start + at, start + len(line), rest)
        elif rest and not line.startswith(("*", "•", "- ")):
            break
    if headline and pieces:
        pieces.append(headline)
    if credit := _CREDIT.search(text):
        pieces.append(("credit", *credit.span("credit"), credit["credit"].strip()))
    return _wire(pieces)


def _wire(pieces: list[Piece]) -> Wire:
    """The first piece of each field; of a status, the gravest."""
    fields: dict[str, str] = {}
    marks: dict[str, Span] = {}
    for name, start, end, value in sorted(pieces, key=lambda piece: piece[1]):
        graver = name == "status" and name in fields and _SEVERITY.index(value) < _SEVERITY.index(fields[name])
        if name not in fields or graver:
            fields[name], marks[name] = value, Span(start, end)
    fields.pop("take", None)
    if fields.get("embargo") == "":
        del fields["embargo"]
        fields["status"] = "canceled" if fields.get("status") == "canceled" else "withheld"
    return Wire(fields, tuple(sorted(marks.items(), key=lambda mark: mark[1].start)))


def _head(text: str) -> Iterator[tuple[int, str]]:
    """The first lines that are not blank, trimmed, each with its offset."""
    for line in islice(_LINE.finditer(text), HEAD_LINES):
        yield line.start(), line[0].rstrip()


def dateline_of(line: str) -> list[Piece]:
    """Dateline and agency at the beginning of `line`; empty where there is none."""
    # The patterns look at no more of a paragraph than a dateline can fill.
    for pattern in _DATELINES:
        if found := pattern.match(line[:160]):
            pieces = [("dateline", *found.span("dateline"), found["dateline"].rstrip(" ,"))]
            if "agency" in pattern.groupindex:
                pieces.append(("agency", *found.span("agency"), found["agency"]))
            return pieces
    return []


def _above(line: str) -> tuple[list[Piece], int]:
    """The pieces in a line above the body, and how much of the line they fill."""
    whole = len(line)
    if whole > 700:
        return [], 0
    if found := _EMBARGO.match(line):
        return [("embargo", *found.span("embargo"), instant(line) or "")], whole
    # "COVID-19" and "2024-25" are no slugs: two parts of a slug are words.
    if (found := _SLUG.match(line)) and (found["named"] or len(re.findall(r"[^\W\d_]{2,}", found["slug"])) > 1):
        group = "named" if found["named"] else "slug"
        takes = _takes(found["takes"], found.start("takes"))[0] if found["takes"] else []
        return [("slug", *found.span(group), found[group]), *takes], whole
    if found := _ADVISORY.match(line):
        status = [("status", *found.span("correcting"), "corrected")] if found["correcting"] else []
        return [("advisory", *found.span("advisory"), found["advisory"]), *status], whole
    if found := _EDITORS.match(line):
        return [("advisory", *found.span("advisory"), found["advisory"])], whole
    if (found := _BYLINE.match(line)) and not _NO_NAME.search(found["byline"]):
        return [("byline", *found.span("byline"), found["byline"])], whole
    return _takes(line, 0)


def _takes(line: str, offset: int) -> tuple[list[Piece], int]:
    """The takes, as "UPDATE 2" or "CORRECTED", that begin `line`, which stands at `offset`, and where they end."""
    pieces: list[Piece] = []
    at = 0
    while found := _TAKE.match(line, at):
        at = found.end()
        group = "update" if found["update"] else "status"
        start, end = (offset + edge for edge in found.span(group))
        if found["update"]:
            pieces.append(("version", start, end, found["number"] or "1"))
        elif status := _status(found["status"]):
            pieces.append(("status", start, end, status))
        pieces.append(("take", start, end, found[group]))
    return pieces, at


def _status(word: str) -> str | None:
    for status, known in (("canceled", words.CANCELED), ("withheld", words.WITHHELD), ("corrected", words.CORRECTED)):
        if re.fullmatch(known, word):
            return status
    return None


def instant(line: str) -> str | None:
    """The instant that an embargo line names, ISO 8601 with its zone; `None` where no date can be read.

    Where no time is written the day begins, and where no zone is written the last one on earth counts: copy is
    freed too late rather than too early.
    """
    found = next(
        filter(None, (re.search(date, line, re.IGNORECASE) for date in (_ISO_DATE, _DOTTED_DATE, _DATE))), None
    )
    if found is None:
        return None
    # The time stands on either side of the date; the date itself is no time.
    rest = f"{line[: found.start()]} | {line[found.end() :]}"
    time = _TIME.search(rest)
    hour = int(time["hour"] or time["bare"]) if time else 0
    if time and re.match(r"\s?p\.?m\b", rest[time.end() :], re.IGNORECASE) and hour < 12:
        hour += 12
    minute = int(time["minute"] or 0) if time else 0
    try:
        return datetime(*_year_month_day(found), hour, minute, tzinfo=_zone(rest)).isoformat()
    except ValueError:
        return None


def _year_month_day(found: re.Match[str]) -> tuple[int, int, int]:
    """The date in a match; a year 0 where none is written."""
    part = {name.rstrip("2"): value for name, value in found.groupdict().items() if value}
    month = part["month"].lower()
    number = (
        int(month) if month.isdigit() else next(n for n, names in words.MONTHS.items() if re.fullmatch(names, month))
    )
    return int(part.get("year", 0)), number, int(part["day"])


def _zone(rest: str) -> tzinfo:
    for names, key in words.LOCAL_TIMES.items():
        if re.search(names, rest, re.IGNORECASE):
            return ZoneInfo(key)
    if shift := _ZONE.search(rest):
        minutes = int(shift["hours"]) * 60 + int(shift["minutes"] or 0)
        return timezone(timedelta(minutes=-minutes if shift["sign"] == "-" else minutes))
    for word in re.findall(r"\w+", rest.lower()):
        if word in words.ZONES:
            return timezone(timedelta(hours=words.ZONES[word]))
    return timezone(timedelta(hours=-12))
