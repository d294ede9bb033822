"""Judged passages, kept on this machine in BEIR's layout, so that `dispatch-qa eval` can score them.

The corpus is the pool, as evaluation campaigns call it: the judged passage and those that the search found beside it,
each under its dispatch's id and its place. What was not judged counts as not relevant. A judgement that is given again
replaces the earlier one.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from dispatch_qa.answer import cite
from dispatch_qa.errors import InputRejected, StoreError, StoreLocked
from dispatch_qa.language import identify
from dispatch_qa.qa import DispatchQA
from dispatch_qa.question import checked_question
from dispatch_qa.records import Citation, Filter

POOL = 50
"""How many passages found for a question are kept beside the judged one."""

MAX_JUDGEMENTS = 10_000
"""A folder takes no more, so that nobody fills the disk by thumbs."""


def judge(store: DispatchQA, question: str, place: tuple[str, int, int], where: Filter | None = None) -> list[Citation]:
    """The passages that are found for a question in what `where` lets through, the one at `place` first.

    Args:
        store: the store that was asked.
        question: as it was asked.
        place: dispatch id, start and end of the passage that was judged.
        where: the filter with which it was found.

    Raises:
        InputRejected: no passage that is found for the question stands there.
    """
    hits = store.search(question, POOL, where)
    passages = [cite(number, hit, store.dispatch_of) for number, hit in enumerate(hits, start=1)]
    judged = [one for one in passages if (one.dispatch_id, one.start, one.end) == place]
    if not judged:
        raise InputRejected(
            f"no passage of {place[0]!r} at {place[1]}–{place[2]} is found for this question; "
            "judge one of those that were shown, by its start and end"
        )
    return [*judged, *(one for one in passages if one is not judged[0])]


class Feedback:
    """A folder of judgements: `queries.jsonl`, `corpus.jsonl`, `qrels/test.tsv`. One server at a time writes to it.

    Raises:
        StoreLocked: another server does.
        StoreError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        import filelock

        self._folder = folder
        self._one_server = filelock.FileLock(folder / "writer.lock")
        try:
            (folder / "qrels").mkdir(parents=True, exist_ok=True)
            self._one_server.acquire(timeout=0)
        except filelock.Timeout as error:
            raise StoreLocked(
                f"another server keeps its feedback in {folder}; name another folder with --feedback"
            ) from error
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error.strerror}); name another with --feedback") from error
        self._writing = threading.Lock()
        self._known = {name: _ids(folder / name) for name in ("corpus.jsonl", "queries.jsonl")}
        self._judged = _judgements(folder / "qrels" / "test.tsv")

    def keep(self, question: str, passages: Sequence[Citation], relevant: bool) -> tuple[str, str]:
        """Keep that the first of `passages` is relevant to the question, or that it is not; (query id, corpus id).

        Raises:
            InputRejected: the folder is full.
        """
        question = checked_question(question)
        query_id = hashlib.sha256(question.encode()).hexdigest()[:16]
        corpus = {corpus_id(passage): passage for passage in passages}
        judged = corpus_id(passages[0])
        with self._writing:
            if len(self._judged) >= MAX_JUDGEMENTS and (query_id, judged) not in self._judged:
                raise InputRejected(f"{MAX_JUDGEMENTS:,} judgements are kept already; move the feedback folder away")
            # In this order, so that no judgement ever names what is not there.
            self._append("corpus.jsonl", {name: _document(name, passage) for name, passage in corpus.items()})
            asked: dict[str, object] = {"_id": query_id, "text": question, "metadata": {"language": identify(question)}}
            self._append("queries.jsonl", {query_id: asked})
            self._judged[query_id, judged] = int(relevant)
            self._write_judgements()
        return query_id, judged

    def close(self) -> None:
        """Let another server write."""
        self._one_server.release()

    def _append(self, name: str, rows: dict[str, dict[str, object]]) -> None:
        new = {key: row for key, row in rows.items() if key not in self._known[name]}
        lines = "".join(json.dumps(row) + "\n" for row in new.values())
        with (self._folder / name).open("ab") as file:
            file.write(lines.encode())
        self._known[name] |= set(new)

    def _write_judgements(self) -> None:
        table = StringIO()
        writer = csv.writer(table, delimiter="\t", lineterminator="\n")
        writer.writerow(["query-id", "corpus-id", "score"])
        writer.writerows([*key, score] for key, score in self._judged.items())
        target = self._folder / "qrels" / "test.tsv"
        work = target.with_name(".test.tsv.new")
        work.write_text(table.getvalue(), encoding="utf-8")
        os.replace(work, target)


def corpus_id(passage: Citation) -> str:
    """The passage's name: dispatch, place, and a digest of its words, which a later version may change."""
    digest = hashlib.sha256(passage.quote.encode()).hexdigest()[:8]
    return f"{passage.dispatch_id}:{passage.start}-{passage.end}:{digest}"


def _document(name: str, passage: Citation) -> dict[str, object]:
    return {"_id": name, "title": "", "text": passage.quote, "metadata": {"language": passage.language}}


def _ids(file: Path) -> set[str]:
    """The ids in a file of JSON lines; a last line that a crash cut off is taken away."""
    if not file.exists():
        return set()
    data = file.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        file.write_bytes(whole)
    return {json.loads(line)["_id"] for line in _lines(whole)}


def _lines(data: bytes) -> Iterable[bytes]:
    return (line for line in data.split(b"\n") if line.strip())


def _judgements(file: Path) -> dict[tuple[str, str], int]:
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t")
        return {(row["query-id"], row["corpus-id"]): int(row["score"]) for row in rows}
