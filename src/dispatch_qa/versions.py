"""Takes of one story: which of them may be quoted now, and why another may not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

from dispatch_qa.records import Change, Dispatch
from dispatch_qa.split import paragraphs, sentences

SUPERSEDED = "superseded"
WITHDRAWN = "withdrawn"
HELD = "held"
EMBARGOED = "embargoed"


@dataclass(frozen=True, slots=True)
class Take:
    """What tells a take of a story from the others; the fields are the dispatch's."""

    story: str
    id: str
    version: str | None
    filed_at: str | None
    status: str | None
    embargo: str | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Why a dispatch is not quoted: one of the four words of this module, and the same in a sentence's words."""

    kind: str
    reason: str


def apart(takes: Iterable[Take], now: datetime) -> dict[str, Apart]:
    """Which takes are not quoted at the instant `now`, and why.

    Of each story the latest take whose embargo is over is quoted, if any. Where that one was withdrawn or is held,
    the whole story is: what it replaced is not what the wire stands by.
    """
    stories: defaultdict[str, list[Take]] = defaultdict(list)
    for take in takes:
        stories[take.story].append(take)
    found: dict[str, Apart] = {}
    for story in stories.values():
        released = []
        for take in in_order(story):
            if take.embargo and _instant(take.embargo, datetime.max.replace(tzinfo=UTC)) > now:
                found[take.id] = Apart(EMBARGOED, f"embargoed until {take.embargo}")
            else:
                released.append(take)
        latest = released[-1] if released else None
        for take in released:
            if latest and latest.status == "canceled":
                found[take.id] = Apart(WITHDRAWN, "withdrawn by the wire")
            elif latest and latest.status == "withheld":
                found[take.id] = Apart(HELD, "held by the wire while it is checked")
            elif latest and take is not latest:
                found[take.id] = Apart(SUPERSEDED, f"superseded by {latest.id}")
    return found


def last_release(takes: Iterable[Take], now: datetime) -> datetime:
    """The end of the last embargo that is over at `now`: between two of them `apart` finds the same."""
    start, never = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    ends = [_instant(take.embargo, never) for take in takes if take.embargo]
    return max((end for end in ends if end <= now), default=start)


def in_order(story: Iterable[Take]) -> list[Take]:
    """The takes of one story, earliest first.

    By date where all have one (by day where one has no hour), then by version where all have one. Else those that say
    of themselves that they follow another come behind those that do not, and then as they were stored.
    """
    takes = list(story)
    dates = [take.filed_at or "" for take in takes]
    start = datetime.min.replace(tzinfo=UTC)
    instants = {take.id: _instant(date, start) for take, date in zip(takes, dates, strict=True)}
    dated = start not in instants.values()
    if min(map(len, dates), default=0) <= len("2025-01-12"):
        instants = {name: instant.replace(hour=0, minute=0, second=0) for name, instant in instants.items()}
    versioned = all(take.version for take in takes)

    def key(take: Take) -> tuple[object, ...]:
        version = _natural(take.version or "")
        marked = bool(take.version or take.status in ("corrected", "withheld", "canceled"))
        first = instants[take.id] if dated else start
        return first, version if versioned else [], marked, instants[take.id], version if dated or marked else []

    return sorted(takes, key=key)


def changes(old: Dispatch, new: Dispatch) -> list[Change]:
    """What changed from one take to the next, sentence by sentence, in the order of the text."""
    before, after = _sentences(old), _sentences(new)
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [Change(tuple(before[a:b]), tuple(after[c:d])) for kind, a, b, c, d in found if kind != "equal"]


def _sentences(dispatch: Dispatch) -> list[str]:
    whole = [span.of(dispatch.text) for span in paragraphs(dispatch.text)]
    return [span.of(one) for one in whole for span in sentences(one, dispatch.language)]


def _natural(version: str) -> list[tuple[int, str]]:
    """A version as something that sorts as people count: 9 before 10."""
    return [(int(digits or 0), word) for digits, word in re.findall(r"(\d+)|([^\d]+)", version)]


def _instant(iso: str, otherwise: datetime) -> datetime:
    """An ISO 8601 instant, in UTC where it names no zone; `otherwise` where it is none."""
    try:
        instant = datetime.fromisoformat(iso)
    except ValueError:
        return otherwise
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


LOOKED_AT = 50
"""So many of the last dispatches of a slug are looked at."""

NEAR = timedelta(days=7)
"""A take follows the one before it within days; a slug alone comes back months later, for another story."""

Rows = Callable[..., list[tuple[Any, ...]]]


def story_of(dispatch: Dispatch, rows: Rows) -> Dispatch:
    """The dispatch, with the story in `version_of` that its takes share.

    Copy that names the item from which it evolved belongs to the story of that item. Copy that names none, but is
    marked "UPDATE 2", "CORRECTED", "WITHDRAWN" or has an advisory, follows the earlier dispatch of the same slug (of
    the same headline where it has none), and of the same agency.

    Args:
        dispatch: that was read.
        rows: runs a query on the store.
    """
    marked = dispatch.version or dispatch.advisory or dispatch.status in ("corrected", "withheld", "canceled")
    name = "slug" if dispatch.slug else "headline"
    shared = getattr(dispatch, name)
    if dispatch.version_of:
        # An item's id may have its version behind an @, which comes just before A.
        query = "SELECT version_of FROM dispatch WHERE (id = ? OR id >= ? AND id < ?) AND version_of <> ?"
        item = dispatch.version_of
        return replace(dispatch, version_of=next(iter(rows(query, item, f"{item}@", f"{item}A", item)), (item,))[0])
    if not marked or not shared:
        return dispatch
    query = f"""SELECT id, coalesce(version_of, id), filed_at FROM dispatch
                WHERE {name} = ? AND id <> ? AND (agency IS ? OR agency IS NULL OR ? IS NULL)
                ORDER BY number DESC LIMIT {LOOKED_AT}"""
    for _, story, filed_at in rows(query, shared, dispatch.id, dispatch.agency, dispatch.agency):
        if _near(filed_at, dispatch.filed_at) and story != dispatch.id:
            return replace(dispatch, version_of=story)
    return dispatch


def _near(one: str | None, other: str | None) -> bool:
    start = datetime.min.replace(tzinfo=UTC)
    instants = [_instant(iso or "", start) for iso in (one, other)]
    return start in instants or abs(instants[0] - instants[1]) <= NEAR
