"""Engines and terms for the search by words, side by side: `python benchmarks/lexical.py --data DIR`.

DIR holds piaf-fr and xquad-r in BEIR layout, and the folder prose. Recall is within a language, where words count;
growth is over real text. Writes results/lexical.json. Each engine is a process of its own.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import statistics
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.common import RESULTS, BenchError, say, write_json
from benchmarks.environments import module, versions_of
from benchmarks.measure import run

SIZES = (1_000, 10_000, 100_000)
ADDED, ASKED, WINDOW = 10, 200, 8  # passages added; queries over prose, each so many words of a passage
CANDIDATES = 50
STEMS = {"fr": "french", "en": "english", "de": "german", "es": "spanish", "ru": "russian"}
SEED = 5

Cut = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Judged:
    """Questions over the passages of their own language; `right` is the place of the one that answers."""

    name: str
    language: str
    passages: list[str]
    questions: list[str]
    right: list[int]


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="with piaf-fr, xquad-r and prose")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="passages of prose")
    parser.add_argument("--output", type=Path, default=RESULTS / "lexical.json")
    arguments = parser.parse_args()
    try:
        results = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": machine.commit(),
            "machine": machine.machine() | {"load_before": machine.load()},
            "versions": {name: versions_of("lexical")[name] for name in ("bm25s", "tantivy")},
            "recall": recall(_sets(arguments.data)),
            "growth": growth(_prose(arguments.data / "prose", max(arguments.sizes) + ADDED), arguments.sizes),
        }
    except (BenchError, OSError) as error:
        say(f"error: {error}")
        return 1
    write_json(arguments.output, results)
    say(f"Written: {arguments.output}")
    return 0


def recall(sets: Sequence[Judged]) -> list[dict[str, Any]]:
    """hit@1, MRR@10 and recall of the first `CANDIDATES`, percent, by engine and terms; XQuAD's is a mean."""
    told = []
    for terms, cut in _cuts().items():
        engines = ("fts5", "bm25s", "tantivy") if terms == "six letters" else ("fts5",)
        told += [_recalled(engine, terms, sets, cut) for engine in engines]
    return [*told, _recalled("tantivy", "stems", sets, None)]


def _recalled(engine: str, terms: str, sets: Sequence[Judged], cut: Cut | None) -> dict[str, Any]:
    say(f"  {engine}, {terms}")
    by_set = defaultdict(list)
    for judged in sets:
        cut_here = cut or str
        passages, questions = ([cut_here(text) for text in texts] for texts in (judged.passages, judged.questions))
        stems = None if cut else STEMS.get(judged.language, "english")
        found = _run(engine, passages, [], questions, stems)["found"]
        ranks = [one.index(right) if right in one else None for one, right in zip(found, judged.right, strict=True)]
        by_set[judged.name].append(_measures(ranks))
    means = {name: {key: _mean(row[key] for row in rows) for key in rows[0]} for name, rows in by_set.items()}
    return {"engine": engine, "terms": terms, **means}


def _measures(ranks: Sequence[int | None]) -> dict[str, float]:
    return {
        "hit@1": 100 * sum(rank == 0 for rank in ranks) / len(ranks),
        "mrr@10": 100 * sum(1 / (1 + rank) for rank in ranks if rank is not None and rank < 10) / len(ranks),
        f"recall@{CANDIDATES}": 100 * sum(rank is not None for rank in ranks) / len(ranks),
    }


def growth(prose: Sequence[str], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """What building, asking and adding cost each engine, by the shipped terms."""
    cut, draw = _cuts()["six letters"], random.Random(SEED)  # noqa: S311
    passages = [cut(text) for text in prose]
    asked = []
    for text in draw.choices([one.split() for one in passages[: min(sizes)]], k=ASKED):
        at = draw.randrange(max(1, len(text) - WINDOW))
        asked.append(" ".join(text[at : at + WINDOW]))
    told = []
    for size, name in itertools.product(sizes, ("fts5, rarer words", "fts5", "bm25s", "tantivy")):
        say(f"  {name}, {size:,} passages")
        engine, _, rarer = name.partition(", ")
        row = _run(
            engine,
            passages[:size],
            passages[size : size + ADDED],
            _rarer(asked, passages[:size]) if rarer else asked,
        )
        del row["found"]
        told.append({"engine": name, "passages": size, **{key: round(value, 4) for key, value in row.items()}})
    return told


def _rarer(asked: Sequence[str], passages: Sequence[str]) -> list[str]:
    """The words by which retrieval lets passages be proposed."""
    from dispatch_qa.retrieve import FEW, RARE

    count = Counter(term for passage in passages for term in set(passage.split()))
    most = max(FEW, RARE * len(passages))
    rarer = (" ".join(term for term in query.split() if count[term] <= most) for query in asked)
    return [few or query for few, query in zip(rarer, asked, strict=True)]


def _run(
    engine: str, passages: list[str], more: list[str], queries: list[str], stems: str | None = None
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "input.json"
        given.write_text(
            json.dumps({"passages": passages, "more": more, "queries": queries, "k": CANDIDATES, "stems": stems}),
            encoding="utf-8",
        )
        place = Path(folder) / "index"
        place.mkdir()
        result: dict[str, Any] = run(module("lexical", "peers.lexical_peer", engine, place, given)).result
        return result


def _cuts() -> dict[str, Cut]:
    """How a text is cut into terms: as shipped, and the other ways."""
    from dispatch_qa import lexical
    from dispatch_qa.embed.onnx_lane import tokenizer
    from dispatch_qa.models import prepare_default_model
    from dispatch_qa.settings import default_cache

    pieces = tokenizer(prepare_default_model(default_cache(), say))

    def letters(n: int) -> Cut:
        def cut(text: str) -> str:
            kept, lexical.PREFIX = lexical.PREFIX, n
            try:
                return " ".join(lexical.terms(text))
            finally:
                lexical.PREFIX = kept

        return cut

    def subwords(text: str) -> str:
        return " ".join(f"t{number}" for number in pieces.encode(text, add_special_tokens=False).ids)

    some = {4: "four letters", 5: "five letters", 6: "six letters", 7: "seven letters", 99: "whole words"}
    return {name: letters(n) for n, name in some.items()} | {"the model's subwords": subwords}


def _sets(data: Path) -> list[Judged]:
    found = []
    for name in ("piaf-fr", "xquad-r"):
        folder = data / name
        if not folder.is_dir():
            raise BenchError(f"there is no folder {folder}; type: --data DIR, which holds piaf-fr, xquad-r and prose")
        rows = [_lines(folder / file) for file in ("corpus.jsonl", "queries.jsonl")]
        relevant = defaultdict(set)
        for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            query, passage, _ = line.split("\t")
            relevant[query].add(passage)
        for language in sorted({row["metadata"]["language"] for row in rows[0]}):
            corpus, asked = ([row for row in some if row["metadata"]["language"] == language] for some in rows)
            place = {row["_id"]: number for number, row in enumerate(corpus)}
            right = {
                row["_id"]: min((place[p] for p in relevant[row["_id"]] if p in place), default=-1) for row in asked
            }
            judged = [row for row in asked if right[row["_id"]] >= 0]
            texts, questions = ([row["text"] for row in some] for some in (corpus, judged))
            found.append(Judged(name, language, texts, questions, [right[row["_id"]] for row in judged]))
    return found


def _prose(folder: Path, n: int) -> list[str]:
    texts: list[str] = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in itertools.islice(lines, n - len(texts))]
    if len(texts) < n:
        raise BenchError(f"{folder} holds {len(texts):,} passages, {n:,} are needed; type: --sizes N")
    return texts


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _mean(values: Any) -> float:
    return round(statistics.fmean(values), 2)


if __name__ == "__main__":
    raise SystemExit(main())
