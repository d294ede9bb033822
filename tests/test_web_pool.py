from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEmbedder

from dispatch_qa import Answer, Busy, Dispatch, DispatchQA, InputRejected, Settings, build, encode
from dispatch_qa.archive import Archive
from dispatch_qa.web.desk import Desk
from dispatch_qa.web.pool import Pool

QUESTION = "fabricants britanniques Babcock"


@pytest.fixture
def store(fake_store: Settings, embedder: FakeEmbedder) -> DispatchQA:
    return DispatchQA(fake_store, embedder)


@pytest.fixture
def pool(store: DispatchQA) -> Iterator[Pool]:
    opened = Pool(store, workers=2)
    yield opened
    opened.close()


def new_store(settings: Settings, text: str, name: str = "new") -> None:
    build(settings, dispatches=[Dispatch(name, text)], embedder=FakeEmbedder(), force=True)


def test_a_pool_is_a_desk_and_answers_as_the_store_does(pool: Pool, store: DispatchQA) -> None:
    desk: Desk = pool
    assert desk.ask(QUESTION, 2) == store.ask(QUESTION, 2)
    assert desk.search(QUESTION, 2) == store.search(QUESTION, 2)
    assert desk.show("dispatch.fr") == store.show("dispatch.fr")
    assert desk.info() == store.info()


def test_errors_reach_who_asked_and_tell_nothing_of_folders(pool: Pool) -> None:
    with pytest.raises(InputRejected, match="empty"):
        pool.ask(" ")
    with pytest.raises(InputRejected, match=r"^there is no dispatch 'x'$"):
        pool.show("x")


def test_many_threads_get_the_answer_of_one(pool: Pool, store: DispatchQA) -> None:
    questions = [f"{word} {n}" for n in range(10) for word in ("armes", "Babcock", "Kiev", "ministre")]
    with ThreadPoolExecutor(16) as users:
        found = list(users.map(pool.ask, questions))
    assert found == [store.ask(question) for question in questions]
    assert pool.pending == 0


def test_what_does_not_fit_the_queue_is_refused_at_once(store: DispatchQA) -> None:
    told: list[tuple[str, Answer | BaseException]] = []
    pool = Pool(store, workers=1, waiting=1, told=lambda question, outcome: told.append((question, outcome)))
    go = threading.Event()
    first, second = pool.submit(lambda _: go.wait(10)), pool.submit(lambda _: 2)
    assert pool.pending == 2
    with pytest.raises(Busy, match="ask again in a moment"):
        pool.asking(QUESTION)
    go.set()
    assert (first.result(), second.result()) == (True, 2)
    pool.ask(QUESTION)
    pool.close()
    assert [(question, type(outcome)) for question, outcome in told] == [(QUESTION, Busy), (QUESTION, Answer)]


def test_a_closing_pool_answers_what_was_asked_and_refuses_more(store: DispatchQA) -> None:
    pool = Pool(store, workers=1)
    asked = [pool.asking(QUESTION) for _ in range(5)]
    pool.close()
    assert all(future.result().citations for future in asked)
    with pytest.raises(Busy, match="stopping"):
        pool.ask(QUESTION)


def test_a_new_store_on_disk_is_found_without_a_restart(pool: Pool, fake_store: Settings) -> None:
    before = pool.info().generation
    new_store(fake_store, "Le port d'Odessa a rouvert mardi.")
    assert pool.info().dispatches == ["new"]
    assert pool.info().generation != before
    assert pool.ask("port Odessa", 1).citations[0].quote == "Le port d'Odessa a rouvert mardi."


def test_another_file_in_the_stores_place_is_opened(pool: Pool, fake_store: Settings, tmp_path: Path) -> None:
    assert pool.info().dispatches == ["dispatch.fr"]
    other = replace(fake_store, index=tmp_path / "other")
    new_store(other, "Le port d'Odessa a rouvert mardi.")
    (other.index / "dispatches.sqlite").rename(fake_store.index / "dispatches.sqlite")
    assert pool.info().dispatches == ["new"]
    assert pool.ask("port Odessa", 1).citations[0].quote == "Le port d'Odessa a rouvert mardi."


def test_a_store_that_is_damaged_later_is_told_about_and_the_open_one_answers_on(
    store: DispatchQA, fake_store: Settings
) -> None:
    lines: list[str] = []
    pool = Pool(store, workers=1, say=lines.append)
    before = pool.ask(QUESTION, 1)
    truth = fake_store.index / "dispatches.sqlite"
    whole = truth.read_bytes()
    truth.unlink()
    truth.write_bytes(whole[:50])
    assert pool.ask(QUESTION, 1) == before
    assert pool.ask(QUESTION, 1) == before
    assert len(lines) == 1
    assert "answering from the store as it was" in lines[0]
    truth.unlink()
    new_store(fake_store, "Le port d'Odessa a rouvert mardi.")
    assert pool.info().dispatches == ["new"]
    pool.close()


def test_what_a_question_needs_is_loaded_once_by_many_threads(
    fake_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[FakeEmbedder] = []

    def load(*_: object) -> FakeEmbedder:
        loaded.append(FakeEmbedder())
        return loaded[-1]

    monkeypatch.setattr(encode, "load_embedder", load)
    pool = Pool(DispatchQA(fake_store), workers=8)
    with ThreadPoolExecutor(16) as users:
        assert len(set(map(str, users.map(pool.ask, [QUESTION] * 32)))) == 1
    pool.close()
    assert len(loaded) == 1


def test_users_see_each_commit_of_another_process(store: DispatchQA, fake_store: Settings, tmp_path: Path) -> None:
    pool = Pool(store, workers=4)
    pool.ask(QUESTION)
    for number in range(5):
        file = tmp_path / f"odessa{number}.txt"
        file.write_text(f"ODESSA, 3 mai (AFP) - Le quai {number} a rouvert mardi.\n")
        Archive(fake_store, FakeEmbedder()).add([file])
        with ThreadPoolExecutor(8) as users:
            answers = list(users.map(pool.ask, [f"quai {number} Odessa"] * 8))
        assert all(f"quai {number}" in str(answer) for answer in answers)
    pool.close()


def test_a_pool_is_ready_once_a_thread_can_answer(store: DispatchQA) -> None:
    pool = Pool(store, workers=2)
    assert not pool.ready.is_set()
    pool.warm()
    assert pool.ready.wait(20)
    pool.close()


def test_a_model_that_does_not_fit_is_told_at_the_start(fake_store: Settings) -> None:
    lines: list[str] = []
    pool = Pool(DispatchQA(fake_store, FakeEmbedder("another")), workers=1, say=lines.append)
    pool.warm()
    pool.close()
    assert len(lines) == 1
    assert "no question can be answered" in lines[0]
    assert not pool.ready.is_set()


def test_a_store_built_again_with_another_model_is_opened_with_that_model(
    fake_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str, *_: object) -> FakeEmbedder:
        loaded.append(name)
        return FakeEmbedder(name)

    monkeypatch.setattr(encode, "load_embedder", load)
    pool = Pool(DispatchQA(fake_store), workers=2)
    before = pool.ask(QUESTION)
    build(fake_store, embedder=FakeEmbedder("another"))
    assert pool.info().model == "another"
    assert pool.ask(QUESTION).citations == before.citations
    pool.ask(QUESTION)
    pool.close()
    assert loaded == ["fake", "another"]
