"""Answers that are kept: saved as JSON or Markdown, and compared years later with what the store holds then."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch_qa import present
from dispatch_qa.errors import InputRejected
from dispatch_qa.qa import DispatchQA
from dispatch_qa.records import Answer, Dispatch
from dispatch_qa.versions import SUPERSEDED

STANDS, MOVED, CORRECTED, WITHDRAWN, GONE, ALTERED = "stands", "moved", "corrected", "withdrawn", "gone", "altered"

_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one citation.

    `state` is "stands" (the quote is where it was), "moved" (the same words are in the store, elsewhere),
    "corrected" (a later text took the place of the one that was quoted), "withdrawn" (by the wire, or held by it),
    "gone" (the store has neither the dispatch nor its text) or "altered" (the saved quote is not what it says it
    is). `detail` says so in words.
    """

    number: int
    dispatch_id: str
    state: str
    detail: str


def save(answer: Answer, file: Path) -> None:
    """Write an answer as JSON, or as Markdown where the file's name ends with `.md`.

    Raises:
        InputRejected: the file cannot be written.
    """
    whole = json.dumps(present.answer_json(answer), ensure_ascii=False, indent=1)
    text = present.answer_markdown(answer) + f"\n```json\n{whole}\n```" if _is_markdown(file) else whole
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputRejected(f"{file} cannot be written: {error.strerror}") from error


def verify(file: Path, dispatches: DispatchQA) -> list[Verdict]:
    """What became of each citation of a saved answer, in order; of a refusal, of the nearest passages.

    Raises:
        InputRejected: the file is no saved answer, or it is Markdown whose text is not that of its own JSON.
    """
    saved = _saved(file)
    with dispatches.reading():
        return [_verdict(citation, dispatches) for citation in saved["citations"] or saved["nearest"]]


def all_stand(verdicts: Sequence[Verdict]) -> bool:
    """Whether every quote can still be used."""
    return all(verdict.state in (STANDS, MOVED) for verdict in verdicts)


def _verdict(citation: dict[str, Any], dispatches: DispatchQA) -> Verdict:
    quote, start, end, sha256 = (citation[key] for key in ("quote", "start", "end", "sha256"))
    number, dispatch_id = int(citation["number"]), str(citation["dispatch_id"])

    def verdict(state: str, detail: str) -> Verdict:
        return Verdict(number, dispatch_id, state, detail)

    inside = citation["evidence"]
    if not start <= inside["start"] < inside["end"] <= end or len(quote) != end - start:
        return verdict(ALTERED, "the spans do not fit the quote")
    if quote[inside["start"] - start : inside["end"] - start] != inside["quote"]:
        return verdict(ALTERED, "the evidence is not what stands in the quote")
    same = dispatches.with_text(sha256)
    stored = dispatches.dispatch_of(dispatch_id if dispatch_id in same or not same else same[0])
    if stored is None:
        return verdict(GONE, "the store has neither the dispatch nor its text")
    if stored.sha256 == sha256 and stored.text[start:end] != quote:
        return verdict(ALTERED, f"the text is the one that was quoted, but at {start}–{end} it says something else")
    take = dispatches.apart().get(stored.id)
    if take and take.kind != SUPERSEDED:
        return verdict(WITHDRAWN, take.reason)
    latest = stored
    if take:
        *_, last = [one for one in dispatches.takes_of(stored.id) if one not in dispatches.apart()]
        latest = dispatches.show(last)
    if latest.sha256 != sha256:
        return verdict(CORRECTED, _replaced(latest, quote))
    if stored.id != dispatch_id:
        return verdict(MOVED, f"the same text is now {stored.id}")
    return verdict(STANDS, "letter for letter where it was")


def _replaced(latest: Dispatch, quote: str) -> str:
    """What the text that took the place of the quoted one makes of the quote."""
    at = latest.text.find(quote)
    kept = f"the quote still stands there, at {at}–{at + len(quote)}" if at >= 0 else "the quote no longer stands there"
    advisory = f" {latest.advisory}" if latest.advisory else ""
    return f"{latest.id}{f', version {latest.version},' if latest.version else ''} took its place; {kept}.{advisory}"


def _saved(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRejected(f"{file} cannot be read: {error}") from error
    block = _BLOCK.findall(text)[-1:] if _is_markdown(file) else [text]
    try:
        saved: dict[str, Any] = json.loads(block[0])
        for citation in [*saved["citations"], *saved["nearest"]]:
            for key, kind in (("quote", str), ("start", int), ("end", int), ("sha256", str), ("number", int)):
                if not isinstance(citation[key], kind):
                    raise TypeError(key)
            inside = citation["evidence"]
            if not isinstance(inside["quote"], str) or not inside["start"] < inside["end"]:
                raise TypeError("evidence")
        whole = not _is_markdown(file) or text.startswith(present.saved_markdown(saved))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputRejected(
            f"{file} is no saved answer ({type(error).__name__}: {error}); make one with: dispatch-qa ask … --save FILE"
        ) from error
    if not whole:
        raise InputRejected(f"{file} was changed after it was saved: its text is not that of the JSON at its end")
    return saved


def _is_markdown(file: Path) -> bool:
    return file.suffix.lower() in (".md", ".markdown")
