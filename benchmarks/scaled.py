"""The measured processes of `scale.py`: each changes or asks one store, through the project's own interface.

`inputs PROSE FOLDER N`, `empty STORE ENCODER`, `add STORE ENCODER PATH`, `remove STORE N`, `list STORE`, `check STORE`,
`ask STORE ENCODER WORDS`, `made STORE N`.
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import tell
from benchmarks.figures import percentile
from benchmarks.ours import StandIn
from benchmarks.vectors import BLOCK, DIM, PER_CLUSTER, around, drawn
from dispatch_qa import Dispatch, DispatchQA, Filter, Settings, encode
from dispatch_qa.archive import Archive
from dispatch_qa.embed import Embedder, load_embedder
from dispatch_qa.records import Passage, Span
from dispatch_qa.settings import DEFAULT_MODEL
from dispatch_qa.store import Embedded, Store, build, changing, index, upkeep

PER_DISPATCH = 10
SEED = 11
WORDS, SENTENCE = 50_000, 20
"""Made texts: so many words there are, and so many in a sentence; two sentences are a passage."""


class Clock:
    """Seconds by the clock and of the processor, of the whole and of parts that do not lie in each other."""

    def __init__(self) -> None:
        self.parts: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count what is done inside as that part."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            part = self.parts[name]
            part[0] += time.perf_counter() - wall
            part[1] += time.process_time() - cpu

    def watch(self, owner: Any, function: str, name: str) -> None:
        """Count every call of a function as that part."""
        real = getattr(owner, function)

        def timed(*given: Any, **named: Any) -> Any:
            with self.timed(name):
                return real(*given, **named)

        setattr(owner, function, timed)

    def told(self) -> dict[str, dict[str, float]]:
        """The parts, and as `rest` what of the whole is in none."""
        whole = self.parts.pop("whole")
        parts = {name: {"wall_s": wall, "cpu_s": cpu} for name, (wall, cpu) in self.parts.items()}
        rest = {
            unit: whole[i] - sum(part[unit] for part in parts.values()) for i, unit in enumerate(("wall_s", "cpu_s"))
        }
        return {"whole": {"wall_s": whole[0], "cpu_s": whole[1]}, **parts, "rest": rest}


def main() -> None:
    """Do what the first argument says."""
    command, *rest = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "inputs": inputs,
        "empty": empty,
        "add": add,
        "remove": remove,
        "list": listed,
        "check": check,
        "ask": ask,
        "made": made,
    }
    commands[command](*rest)


def inputs(prose: str, folder: str, passages: str) -> None:
    """Ten folders of text files, each file ten passages of one book in their order; and ten files more, five times."""
    books = itertools.chain.from_iterable(map(_books, sorted(Path(prose).glob("*.jsonl.gz"))))
    slices = 10
    each = int(passages) // slices // PER_DISPATCH
    # The languages come one after the other: dealt out, every slice has its part of each.
    dealt = list(itertools.islice(_dealt(list(books)), slices * each + 100))
    for number, text in enumerate(dealt):
        place = number // each if number < slices * each else f"more-{(number - slices * each) // 10}"
        file = Path(folder) / str(place) / f"prose-{number:06}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    tell({"dispatches": len(dealt)})


def empty(store: str, encoder: str) -> None:
    """Make a store that holds nothing."""
    settings = replace(Settings.from_env(), index=Path(store))
    with changing(settings.index, encode.manifest_of(_embedder(encoder, settings), settings)):
        pass
    tell({"embedder": encoder})


def add(store: str, encoder: str, path: str) -> None:
    """Add files to a store, as `dispatch-qa add` does; loading the encoder is not timed."""
    settings = replace(Settings.from_env(), index=Path(store))
    embedder, clock = _embedder(encoder, settings), Clock()
    encode.embedded(Dispatch("warm", "Loads what is loaded late. " * 40), embedder, settings.passage_tokens)
    clock.watch(embedder, "passages", "embedding")
    clock.watch(encode, "split", "splitting")
    for function in ("load", "built", "write"):
        clock.watch(index, function, "index")
    clock.watch(index.SearchIndex, "whole", "index")
    before = _passages(settings.index)
    with clock.timed("whole"):
        report = Archive(settings, embedder).add([Path(path)])
    files = {file.name: file.stat().st_size for file in settings.index.iterdir()}
    added = _passages(settings.index) - before
    tell(
        {"passages": added, "dispatches": len(report.added), "failed": len(report.failed), "files": files}
        | clock.told()
    )


def remove(store: str, count: str) -> None:
    """Remove the first dispatches of a store, in one call."""
    settings, clock = replace(Settings.from_env(), index=Path(store)), Clock()
    with closing(Store(settings.index)) as opened:
        ids = opened.ids()[: int(count)]
    for function in ("load", "built", "write"):
        clock.watch(index, function, "index")
    clock.watch(index.SearchIndex, "whole", "index")
    with clock.timed("whole"):
        Archive(settings, StandIn()).remove(ids)
    tell(clock.told())


def listed(store: str) -> None:
    """List every dispatch."""
    clock = Clock()
    with clock.timed("whole"):
        found = Archive(replace(Settings.from_env(), index=Path(store)), StandIn()).listed()
    tell({"dispatches": len(found)} | clock.told())


def check(store: str) -> None:
    """Verify everything."""
    clock = Clock()
    with clock.timed("whole"):
        wrong, derived = upkeep.check(Path(store))
    tell({"wrong": wrong + derived} | clock.told())


def ask(store: str, encoder: str, questions: str) -> None:
    """Open a store, then ask it, with and without filters: all times in milliseconds, but for opening."""
    settings = replace(Settings.from_env(), index=Path(store))
    embedder = _embedder(encoder, settings)
    embedder.queries(["Loads what is loaded late?"])
    filters = {"no filter": None, **{name: Filter(**given) for name, given in FILTERS.items()}}
    told: dict[str, Any] = {"filters": FILTERS}
    start = time.perf_counter()
    asked = DispatchQA(settings, embedder)
    told["open_s"] = time.perf_counter() - start
    for name, where in filters.items():
        took = []
        for question in json.loads(questions):
            start = time.perf_counter()
            asked.ask(question, where=where)
            took.append((time.perf_counter() - start) * 1000)
        told[name] = {"first_ms": took[0], "p50_ms": percentile(took[1:], 50), "max_ms": max(took[1:])}
    tell(told)


FILTERS: dict[str, dict[str, str]] = {
    "a language": {"language": "fr"},
    "a slug": {"slug": "made-77"},
    "a hundred days": {"since": "2020-01-01", "until": "2020-04-09"},
}


def made(store: str, passages: str) -> None:
    """Build a store of made words and made vectors, by the store's own writer."""
    clock = Clock()
    clock.watch(index, "built", "index")
    clock.watch(index, "write", "index")
    settings = replace(Settings.from_env(), index=Path(store))
    with clock.timed("whole"):
        build(settings.index, encode.manifest_of(StandIn(), settings), _made(int(passages)))
    files = {file.name: file.stat().st_size for file in settings.index.iterdir()}
    tell({"passages": _passages(settings.index), "files": files} | clock.told())


def words_of(rng: np.random.Generator) -> list[str]:
    """Made words of two to five syllables, no two alike, the most frequent first."""
    syllables = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
    drawn_words: dict[str, None] = {}
    while len(drawn_words) < WORDS:
        drawn_words["".join(rng.choice(syllables, int(rng.integers(2, 6))))] = None
    return list(drawn_words)


def _made(passages: int) -> Iterator[tuple[Dispatch, list[Embedded]]]:
    """Dispatches of ten passages of two sentences; words as often as their rank has it (Zipf), vectors in clusters."""
    rng = np.random.default_rng(SEED)
    words = np.array(words_of(rng), dtype=object)
    shares = 1 / (np.arange(WORDS) + 2.7)
    shares /= shares.sum()
    basis = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0].astype(np.float32)
    centres = drawn(rng, max(1, passages // PER_CLUSTER), basis)
    number = 0
    for at in range(0, passages, BLOCK // 10):
        size = min(BLOCK // 10, passages - at)
        picked = words[rng.choice(WORDS, (size, 2, SENTENCE), p=shares)]
        vectors, inside = around(rng, centres, size, basis), around(rng, centres, 2 * size, basis)
        for first in range(0, size, PER_DISPATCH):
            rows = range(first, min(first + PER_DISPATCH, size))
            sentences = [[" ".join(one) + "." for one in picked[row]] for row in rows]
            yield _dispatch(number, sentences, vectors[rows.start : rows.stop], inside[2 * first : 2 * rows.stop])
            number += 1


def _dispatch(number: int, passages: list[list[str]], vectors: Any, inside: Any) -> tuple[Dispatch, list[Embedded]]:
    name, at, ready = f"made-{number:07}", 0, []
    for place, pair in enumerate(passages):
        spans = []
        for sentence in pair:
            spans.append(Span(at, at + len(sentence)))
            at += len(sentence) + 1
        whole = Span(spans[0].start, spans[-1].end)
        ready.append((Passage(name, place + 1, whole, tuple(spans)), vectors[place], inside[2 * place : 2 * place + 2]))
        at += 1
    day = np.datetime64("2000-01-01") + number % 10_000
    text = "\n\n".join(" ".join(pair) for pair in passages)
    slug, language = f"made-{number % 1_000}", ("fr", "en", "uk", "de")[number % 4]
    return Dispatch(name, text, language, slug=slug, filed_at=str(day), agency="AFP"), ready


def _books(shard: Path) -> Iterator[list[str]]:
    """The passages of each book of a shard, ten at a time."""
    with gzip.open(shard, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        for _, book in itertools.groupby(rows, key=lambda row: row["title"]):
            texts = [" ".join(row["text"].split()) for row in book]
            yield from (texts[at : at + PER_DISPATCH] for at in range(0, len(texts) - PER_DISPATCH + 1, PER_DISPATCH))


def _dealt(books: list[list[str]]) -> Iterator[str]:
    """The dispatches in an order that is drawn, the same every time."""
    for place in np.random.default_rng(SEED).permutation(len(books)):
        yield "\n\n".join(books[place])


def _passages(folder: Path) -> int:
    if not (folder / "dispatches.sqlite").exists():
        return 0
    with closing(Store(folder)) as opened:
        return opened.counts()[1]


def _embedder(encoder: str, settings: Settings) -> Embedder:
    """The real one, or one of made vectors: "made" with a number behind it, so that no two runs make the same."""
    if encoder == "real":
        return load_embedder(DEFAULT_MODEL, settings.cache, settings.batch_size)
    return StandIn(SEED + int(encoder.removeprefix("made") or 0))


if __name__ == "__main__":
    main()
