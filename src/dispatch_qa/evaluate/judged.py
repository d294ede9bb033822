"""Judged sets: questions with what answers them, in BEIR's layout."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers.text import canonical
from dispatch_qa.records import Citation, Dispatch


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its judgements.

    `relevant` names what answers it, as `Judged.key` names a citation; empty where nothing does. `gold` maps
    such a name to the words that answer there.
    """

    query_id: str
    text: str
    language: str
    relevant: frozenset[str] = frozenset()
    gold: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of judged questions over dispatches; `key` names, for a citation, what the judgements are about."""

    name: str
    dispatches: tuple[Dispatch, ...]
    queries: tuple[Query, ...]
    key: Callable[[Citation], str]


def read_folder(folder: Path) -> Judged:
    """The judged set in `folder`. Raises `InputRejected` naming the file and what is wrong with it."""
    try:
        corpus = [json.loads(line) for line in _lines(folder / "corpus.jsonl")]
        queries = [json.loads(line) for line in _lines(folder / "queries.jsonl")]
        relevant: defaultdict[str, set[str]] = defaultdict(set)
        with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if int(row["score"]) > 0:
                    relevant[row["query-id"]].add(row["corpus-id"])
        gold: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        if (folder / "answers.jsonl").exists():
            for line in _lines(folder / "answers.jsonl"):
                row = json.loads(line)
                gold[row["query_id"]][row["corpus_id"]].append(canonical(row["text"]))
        dispatches = tuple(
            Dispatch(row["_id"], canonical(row["text"]), row.get("metadata", {}).get("language", "und"))
            for row in corpus
            if row["text"].strip()
        )
        judged = tuple(
            Query(
                row["_id"],
                row["text"],
                row.get("metadata", {}).get("language", "und"),
                frozenset(ids),
                gold[row["_id"]],
            )
            for row in queries
            if (ids := relevant[row["_id"]]) or row.get("metadata", {}).get("answerable") is False
        )
    except OSError as error:
        raise InputRejected(f"{error.filename} cannot be read: {error.strerror}; BEIR's layout is expected") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputRejected(f"{folder} is not in BEIR's layout: {type(error).__name__} {error}") from error
    return Judged(folder.name, dispatches, judged, lambda citation: citation.dispatch_id)


def read_unanswerable(file: Path, languages: Iterable[str]) -> list[Query]:
    """Questions that no dispatch answers, from JSON lines with `text`, in the given languages."""
    wanted = set(languages)
    rows = [json.loads(line) for line in _lines(file)]
    return [
        Query(row.get("_id", str(number)), row["text"], row.get("metadata", {}).get("language", "und"))
        for number, row in enumerate(rows)
        if row.get("metadata", {}).get("language", "und") in wanted
    ]


def in_language(judged: Judged, language: str) -> Judged:
    """The dispatches of one language, and the questions that they answer."""
    dispatches = tuple(dispatch for dispatch in judged.dispatches if dispatch.language == language)
    ids = {dispatch.id for dispatch in dispatches}
    queries = tuple(replace(q, relevant=q.relevant & ids) for q in judged.queries if q.relevant & ids)
    return replace(judged, name=f"{judged.name}-{language}", dispatches=dispatches, queries=queries)


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
