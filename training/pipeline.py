"""What the whole tool sees for a question: the retrieved passages, their scores, and what the reader makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from data import Pool
from kept import kept

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.calibration import Pair
from dispatch_qa.evaluate import Judged, read_folder, store_for
from dispatch_qa.reader import Reader
from dispatch_qa.reader.evidence import pair_of, sentence_of
from dispatch_qa.readers.text import canonical
from dispatch_qa.records import Dispatch, Filter, Hit

QUESTIONS = Path(__file__).parent.parent / "eval" / "questions.jsonl"
MOST = 400  # questions of a public set, drawn by their ids
MOST_TEXTS = 100  # of those written for the training, drawn by how they begin
OBSERVED = 5  # passages a question: as many as are read at most, whether they are near the first or not
LANGUAGES = ("en", "fr", "de", "es", "uk", "ar", "zh", "pl")


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage that retrieval found: its score, the share of the question's words in it, the reader's logit.

    And what is known of question and dispatch, whether the passage is right, the words that the reader found in it,
    their share of all its spans, and their sentence, or the one that retrieval chose.
    """

    score: float
    lexical: float
    here: float
    pair: Pair
    relevant: bool
    words: str
    share: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A question, and the first passages for it, as retrieval ranks them, each as the reader reads it."""

    text: str
    language: str
    dataset: str
    kind: str
    golds: tuple[str, ...]
    seen: tuple[Seen, ...]
    copy_language: str = "fr"
    """That of the dispatches."""

    @property
    def answerable(self) -> bool:
        """Whether the dispatches answer it."""
        return bool(self.golds)


def of_dispatch(part: str, reader: Reader) -> list[Observed]:
    """The questions of a part about the shipped dispatch, in all their languages."""
    dispatches = DispatchQA(replace(Settings.from_env(), reader="off"))
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    found = []
    for row in (row for row in rows if row["part"] == part):
        right = [row, *row.get("also", [])] if row["answerable"] else []
        paragraphs = {one["paragraph"] for one in right}
        for language in LANGUAGES:
            seen = _seen(dispatches, reader, row["text"][language], lambda hit: hit.passage.paragraph in paragraphs)  # noqa: B023
            golds = tuple(one["answer"] for one in right)
            found.append(Observed(row["text"][language], language, "dispatch", row["kind"], golds, seen))
    return found


def of_piaf(part: str, reader: Reader, pool: Pool, folder: Path) -> list[Observed]:
    """The questions of a part about PIAF's passages, and French ones about other things."""
    dispatches = store_for(read_folder(folder / "piaf-fr"), replace(Settings.from_env(), reader="off"), print)
    asked = sorted((q for q in pool.of_part(part) if q.dataset == "piaf-fr"), key=lambda q: q.query_id[::-1])[:MOST]
    asked += [q for q in pool.off if q.language == "fr" and pool.part(q) == part]
    found = []
    for q in asked:
        seen = _seen(dispatches, reader, q.text, lambda hit: hit.passage.dispatch_id in q.golds)  # noqa: B023
        golds = tuple(gold for golds in q.golds.values() for _, gold in golds)
        found.append(Observed(q.text, q.language, "piaf-fr", "" if golds else "other topic", golds, seen))
    return found


def of_written(part: str, reader: Reader, pool: Pool) -> list[Observed]:
    """The questions of a part on dispatches written for the training, each asked of its own dispatch alone."""
    drawn = sorted(pool.written_of(part), key=lambda one: one.key[::-1])[:MOST_TEXTS]
    ones = {f"{part}-{number:03}": one for number, one in enumerate(drawn)}
    texts = [Dispatch(key, canonical("\n\n".join(one.paragraphs)), one.language, slug=key) for key, one in ones.items()]
    judged = Judged(f"written-{part}", tuple(texts), (), attrgetter("dispatch_id"))
    dispatches = store_for(judged, replace(Settings.from_env(), reader="off"), print)
    found = []
    for key, one in ones.items():
        for put in one.questions:
            right = put.paragraph + 1 if put.words else None
            seen = _seen(dispatches, reader, put.text, lambda hit: hit.passage.paragraph == right, Filter(slug=key))  # noqa: B023
            golds = (put.words,) if put.words else ()
            kind = "" if golds else "near miss"
            found.append(Observed(put.text, put.language, "written", kind, golds, seen, one.language))
    return found


def _seen(
    dispatches: DispatchQA,
    reader: Reader,
    question: str,
    relevant: Callable[[Hit], bool],
    where: Filter | None = None,
) -> tuple[Seen, ...]:
    hits = dispatches.search(question, OBSERVED, where)
    found = [dispatches.show(hit.passage.dispatch_id) for hit in hits]
    texts = [hit.passage.span.of(dispatch.text) for hit, dispatch in zip(hits, found, strict=True)]
    readings = reader.read(question, texts)
    return tuple(
        Seen(
            hit.score,
            hit.lexical,
            reading.here,
            pair_of(question, dispatch),
            relevant(hit),
            reading.found[0].span.of(text) if reading.found else "",
            reading.found[0].score if reading.found else 0.0,
            (sentence_of(hit, reading) or hit.best).of(dispatch.text),
        )
        for hit, dispatch, text, reading in zip(hits, found, texts, readings, strict=True)
    )


def observations(file: Path, make: Callable[[], list[Observed]]) -> list[Observed]:
    """The observations in `file`, made where there is none: they depend on the reader alone."""
    rows = kept(file, lambda: [asdict(one) for one in make()])
    return [
        Observed(**row | {"golds": tuple(row["golds"]), "seen": tuple(_seen_again(seen) for seen in row["seen"])})
        for row in rows
    ]


def _seen_again(row: dict[str, Any]) -> Seen:
    return Seen(**row | {"pair": Pair(**row["pair"])})
