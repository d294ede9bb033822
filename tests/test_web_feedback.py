from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder
from fastapi.testclient import TestClient
from served import client

from dispatch_qa import DispatchQA, InputRejected, Settings, StoreError, StoreLocked, cli, encode, evaluate, qa
from dispatch_qa.web import feedback
from dispatch_qa.web.feedback import Feedback, judge

QUESTION = "fabricants britanniques Babcock International Group"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feedback"


@pytest.fixture
def api(fake_store: Settings, folder: Path) -> Iterator[TestClient]:
    with client(fake_store, feedback=folder) as opened:
        yield opened


def thumb(api: TestClient, question: str, place: int, relevant: bool) -> dict[str, Any]:
    """Judge the passage that is found at that place for a question; what the server says to it."""
    hits = api.post("/api/v1/search", json={"question": question, "k": 10}).json()["hits"]
    judgement = {key: hits[place][key] for key in ("dispatch_id", "start", "end")}
    answer = api.post("/api/v1/feedback", json={"question": question, "relevant": relevant} | judgement)
    assert answer.status_code == 201
    kept: dict[str, Any] = answer.json()
    return kept


def test_thumbs_become_judged_questions_that_eval_scores(
    api: TestClient,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
) -> None:
    thumb(api, QUESTION, 0, True)
    thumb(api, QUESTION, 1, False)
    thumb(api, "armes occidentales", 2, True)
    thumb(api, "nobody said yes to this", 0, False)

    for module in (qa, encode):
        monkeypatch.setattr(module, "load_embedder", lambda *_: FakeEmbedder())
    monkeypatch.setenv("DISPATCH_QA_CACHE", str(tmp_path / "cache"))
    assert cli.main(["eval", str(folder), "--json"]) == 0
    figures = json.loads(capfdbinary.readouterr().out)
    # One was found first and one third, among all passages that were found beside them.
    assert figures["n"] == 2
    assert figures["overall"]["hit@1"] == 0.5
    assert figures["overall"]["mrr@10"] == round((1 + 1 / 3) / 2, 4)
    assert figures["citations_exact"] == 1.0


def test_the_pool_holds_what_was_found_beside_the_judged_passage(api: TestClient, folder: Path) -> None:
    kept = thumb(api, QUESTION, 0, True)
    judged = evaluate.read_folder(folder)
    assert [query.text for query in judged.queries] == [QUESTION]
    assert judged.queries[0].relevant == {kept["corpus_id"]}
    assert judged.queries[0].language == "fr"
    assert len(judged.dispatches) == api.get("/api/v1/info").json()["passages"]
    text = api.get("/api/v1/show", params={"id": "dispatch.fr"}).json()["text"]
    for passage in judged.dispatches:
        start, end = passage.id.split(":")[1].split("-")
        assert text[int(start) : int(end)] == passage.text


def test_a_later_judgement_replaces_an_earlier_one(api: TestClient, folder: Path) -> None:
    first = thumb(api, QUESTION, 0, True)
    assert thumb(api, f"  {QUESTION} ", 0, False) == first
    assert (folder / "qrels" / "test.tsv").read_text().splitlines() == [
        "query-id\tcorpus-id\tscore",
        f"{first['query_id']}\t{first['corpus_id']}\t0",
    ]
    assert len((folder / "queries.jsonl").read_text().splitlines()) == 1


def test_judgements_outlive_the_server_and_a_line_that_a_crash_cut_off(fake_store: Settings, folder: Path) -> None:
    with client(fake_store, feedback=folder) as api:
        thumb(api, QUESTION, 0, True)
    before = evaluate.read_folder(folder)
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "torn", "te')
    with client(fake_store, feedback=folder) as api:
        thumb(api, "armes", 0, True)
    after = evaluate.read_folder(folder)
    assert [query.text for query in after.queries] == [QUESTION, "armes"]
    assert after.dispatches[: len(before.dispatches)] == before.dispatches


def _place(store: Settings, question: str) -> tuple[str, int, int]:
    passage = DispatchQA(store, FakeEmbedder()).search(question)[0].passage
    return passage.dispatch_id, passage.span.start, passage.span.end


def test_only_passages_that_are_found_can_be_judged(api: TestClient, folder: Path) -> None:
    judgement = {"question": QUESTION, "dispatch_id": "dispatch.fr", "start": 0, "end": 7, "relevant": True}
    answer = api.post("/api/v1/feedback", json=judgement)
    assert answer.status_code == 422
    assert "judge one of those that were shown" in answer.json()["error"]["message"]
    assert api.post("/api/v1/feedback", json=judgement | {"dispatch_id": "../x"}).status_code == 422
    assert not (folder / "queries.jsonl").exists()


def test_without_a_folder_nothing_is_kept(fake_store: Settings) -> None:
    with client(fake_store) as api:
        assert api.post("/api/v1/feedback", json={}).status_code == 404


def test_a_full_folder_takes_no_more_but_changes_of_mind(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(feedback, "MAX_JUDGEMENTS", 1)
    thumb(api, QUESTION, 0, True)
    thumb(api, QUESTION, 0, False)
    with pytest.raises(AssertionError):
        thumb(api, QUESTION, 1, True)
    assert len((folder / "qrels" / "test.tsv").read_text().splitlines()) == 2


def test_one_server_at_a_time_writes_to_a_folder(folder: Path) -> None:
    first = Feedback(folder)
    with pytest.raises(StoreLocked, match="name another folder with --feedback"):
        Feedback(folder)
    first.close()
    Feedback(folder).close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="name another with --feedback"):
        Feedback(tmp_path / "file" / "feedback")


def test_ids_and_texts_with_odd_characters_come_back_as_they_were(settings: Settings, folder: Path) -> None:
    from dispatch_qa import Dispatch, build

    odd = Dispatch('a\tb\u2028 "c"', "Le port\u2028d'Odessa a rouvert\u0085mardi.")
    build(settings, dispatches=[odd], embedder=FakeEmbedder())
    store = DispatchQA(settings, FakeEmbedder())
    kept = Feedback(folder)
    passages = judge(store, "port Odessa", (odd.id, *_place(settings, "port Odessa")[1:]))
    kept.keep("port\u2028Odessa", passages, True)
    kept.close()
    judged = evaluate.read_folder(folder)
    assert judged.queries[0].text == "port\u2028Odessa"
    assert judged.queries[0].relevant == {judged.dispatches[0].id}
    assert judged.dispatches[0].text == passages[0].quote
    assert replace(judged.dispatches[0], id=odd.id).text in odd.text


def test_a_question_that_is_none_is_not_kept(folder: Path, fake_store: Settings) -> None:
    kept = Feedback(folder)
    passages = judge(DispatchQA(fake_store, FakeEmbedder()), "armes", _place(fake_store, "armes"))
    with pytest.raises(InputRejected, match="empty"):
        kept.keep(" ", passages, True)
    kept.close()
