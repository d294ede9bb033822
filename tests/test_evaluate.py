from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from fakes import FakeEmbedder

from dispatch_qa import DispatchQA, InputRejected, Settings, build, evaluate
from dispatch_qa.evaluate import (
    Judged,
    Query,
    Record,
    ask_all,
    compare,
    keep,
    ranking,
    read_folder,
    read_records,
    read_unanswerable,
    refusal,
    report,
)
from dispatch_qa.evaluate.plots import reliability

TEXTS = {
    "a": "Kiev a signé un accord avec Rheinmetall.",
    "b": "Le port d'Odessa a rouvert mardi.",
    "c": "Der Kanzler sprach in Berlin.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A judged set in BEIR's layout: two questions with an answer, one without."""
    place = tmp_path / "wire"
    (place / "qrels").mkdir(parents=True)

    def lines(name: str, rows: list[dict[str, object]]) -> None:
        (place / name).write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")

    language = {"a": "fr", "b": "fr", "c": "de"}
    lines(
        "corpus.jsonl",
        [{"_id": i, "title": "", "text": t, "metadata": {"language": language[i]}} for i, t in TEXTS.items()],
    )
    lines(
        "queries.jsonl",
        [
            {"_id": "q1", "text": "accord avec Rheinmetall ?", "metadata": {"language": "fr"}},
            {"_id": "q2", "text": "port d'Odessa rouvert ?", "metadata": {"language": "fr"}},
            {"_id": "q3", "text": "Wer gewann?", "metadata": {"language": "de", "answerable": False}},
            {"_id": "q4", "text": "never judged", "metadata": {"language": "en"}},
        ],
    )
    (place / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\tb\t1\nq2\tc\t0\n", encoding="utf-8"
    )
    lines("answers.jsonl", [{"query_id": "q1", "corpus_id": "a", "text": "Rheinmetall", "start": 28}])
    return place


def record(query_id: str, rank: int | None, found: tuple[str, ...] = (), **changes: object) -> Record:
    values: dict[str, object] = {
        "query_id": query_id, "text": "?", "language": "fr", "answerable": True, "rank": rank, "found": found,
        "evidence": None, "confidence": 0.9, "supported": True, "exact": True, "milliseconds": 1.0,
    }  # fmt: skip
    return Record(**(values | changes))  # type: ignore[arg-type]


def test_a_folder_is_read_with_ids_as_they_are(folder: Path) -> None:
    judged = read_folder(folder)
    assert [dispatch.id for dispatch in judged.dispatches] == ["a", "b", "c"]
    assert [(query.query_id, sorted(query.relevant)) for query in judged.queries] == [
        ("q1", ["a"]),
        ("q2", ["b"]),
        ("q3", []),
    ]
    assert judged.queries[0].gold == {"a": ["Rheinmetall"]}


def test_measures_are_the_fields_own() -> None:
    records = [record("q1", 1, ("a", "x")), record("q2", 3, ("x", "y", "b")), record("q3", None, ())]
    found = ranking(records, {"q1": frozenset("a"), "q2": frozenset("b"), "q3": frozenset("c")})
    assert found["hit@1"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["hit@5"] == found["hit@10"] == found["recall@10"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["mrr@10"] == pytest.approx((1 + 1 / 3 + 0) / 3, abs=1e-4)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / math.log2(4) + 0) / 3, abs=1e-4)


def test_refusal_is_scored_on_the_unanswerable() -> None:
    records = [
        record("a1", 1, confidence=0.9),
        record("a2", 1, confidence=0.4, supported=False),
        record("u1", None, answerable=False, confidence=0.1, supported=False),
        record("u2", None, answerable=False, confidence=0.6),
    ]
    # Of the four pairs of an answerable and an unanswerable question, 0.4 against 0.6 is the wrong way round.
    assert refusal(records, 0.5) == {"auroc": 0.75, "precision": 0.5, "recall": 0.5, "f1": 0.5, "threshold": 0.5}


def test_without_unanswerable_questions_refusal_is_not_scored() -> None:
    assert refusal([record("a1", 1)], 0.5)["auroc"] is None


def test_a_run_end_to_end(folder: Path, settings: Settings) -> None:
    judged = read_folder(folder)
    build(settings, dispatches=judged.dispatches, embedder=FakeEmbedder())
    records = ask_all(judged, judged.queries, DispatchQA(settings, embedder=FakeEmbedder()))
    figures = report(judged, records, None)
    assert (figures["dataset"], figures["n"]) == ("wire", 2)
    assert figures["overall"]["hit@1"] == 1
    assert figures["evidence"] == 1
    assert figures["citations_exact"] == 1
    assert [one.rank for one in records] == [1, 1, None]


def test_pairs_are_scored_one_language_of_dispatches_at_a_time(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_store(judged: Judged, settings: Settings, say: object) -> DispatchQA:
        from dataclasses import replace

        place = replace(settings, index=settings.index / judged.name)
        build(place, dispatches=judged.dispatches, embedder=FakeEmbedder())
        return DispatchQA(place, embedder=FakeEmbedder())

    monkeypatch.setattr(evaluate, "store_for", fake_store)
    figures, records = evaluate.evaluate(read_folder(folder), settings, [Query("u", "Leitzins?", "de")])
    assert set(figures["by_pair"]) == {"fr->fr"}
    assert [one.query_id for one in records] == ["q1", "q2", "q3", "u"]


def test_unanswerable_questions_are_taken_in_the_sets_languages(tmp_path: Path) -> None:
    file = tmp_path / "off.jsonl"
    rows = [
        {"_id": "1", "text": "Wer?", "metadata": {"language": "de"}},
        {"text": "Qui ?", "metadata": {"language": "fr"}},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert [query.text for query in read_unanswerable(file, {"fr"})] == ["Qui ?"]


@pytest.mark.parametrize(("name", "text"), [("queries.jsonl", "{"), ("corpus.jsonl", '{"_id": "x"}')])
def test_a_broken_folder_is_refused_by_name(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputRejected, match="is not in BEIR's layout"):
        read_folder(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match=r"corpus\.jsonl cannot be read"):
        read_folder(tmp_path)


def test_a_run_is_kept_with_what_it_was_made_with_and_read_again(folder: Path, settings: Settings) -> None:
    judged = read_folder(folder)
    records = [record("q1", 1, ("a",)), record("q2", 2, ("c", "b")), record("q3", None, answerable=False)]
    figures = report(judged, records, 0.5) | {"made_with": {"model": "fake"}}
    kept = keep(settings.cache / "runs", figures, records, settings)
    assert read_records(kept) == read_records(kept / "records.jsonl") == records
    again = json.loads((kept / "figures.json").read_text(encoding="utf-8"))
    assert again["overall"] == figures["overall"]
    assert again["made_with"]["model"] == "fake"
    assert again["made_with"]["settings"]["k"] == str(settings.k)
    plots = sorted(path.name for path in kept.glob("*.png"))
    assert plots == ["confidence.png", "recall.png", "reliability.png"]
    assert all((kept / name).read_bytes().startswith(b"\x89PNG") for name in plots)


def test_reliability_is_the_share_answered_in_each_tenth_of_confidence() -> None:
    records = [
        record("a", 1, confidence=0.92),
        record("b", 1, confidence=0.98),
        record("c", None, answerable=False, confidence=0.95),
        record("d", None, answerable=False, confidence=0.0),
        record("e", 1, confidence=1.0),
        record("f", 1, confidence=None),
    ]
    low, high = reliability(records)
    assert low == (0.0, 0.0, 1)
    assert high[0] == pytest.approx((0.92 + 0.98 + 0.95 + 1) / 4)
    assert high[1:] == (0.75, 4)


def test_runs_are_compared_question_by_question() -> None:
    a = [record(f"q{n}", 2, evidence=True) for n in range(20)]
    b = [record(f"q{n}", 1 if n < 15 else 2, evidence=True) for n in reversed(range(20))]
    hit, mrr, evidence, answered = compare(a, b)
    assert (hit.measure, hit.a, hit.b, hit.wins, hit.ties, hit.losses) == ("hit@1", 0, 0.75, 15, 5, 0)
    # All fifteen signs must agree for so large a difference: 2 in 2**15.
    assert hit.p < 0.001
    assert (mrr.a, mrr.b) == (0.5, 0.875)
    assert (evidence.wins, evidence.ties, evidence.p) == (0, 20, 1)
    assert (answered.a, answered.b) == (1, 1)


def test_a_difference_that_chance_gives_is_told_as_such() -> None:
    a = [record(f"q{n}", 1 + n % 2) for n in range(20)]
    b = [record(f"q{n}", 2 - n % 2) for n in range(19)] + [record("q19", 2)]
    assert compare(a, b)[0].p > 0.5


def test_runs_over_other_questions_are_not_compared() -> None:
    with pytest.raises(InputRejected, match="did not ask the same questions"):
        compare([record("q1", 1)], [record("q2", 1)])


@pytest.mark.parametrize("text", ["{", '{"query_id": "q"}', "[]"])
def test_what_holds_no_records_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "records.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InputRejected, match="does not hold a run's records"):
        read_records(tmp_path)
