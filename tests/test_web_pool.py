from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fakes import FakeEmbedder

from dispatch_qa import Answer, Busy, Dispatch, DispatchQA, InputRejected, Settings, StoreOutdated, build
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


def test_threads_share_one_model_and_have_an_opening_each(fake_store: Settings, embedder: FakeEmbedder) -> None:
    pool = Pool(DispatchQA(fake_store, embedder), workers=3)
    meet = threading.Barrier(3)

    def look(store: DispatchQA) -> tuple[int, int]:
        meet.wait(10)
        return id(store), id(store._embedder)

    looks = [pool.submit(look) for _ in range(3)]
    stores, models = zip(*(one.result() for one in looks), strict=True)
    pool.close()
    assert len(set(stores)) == 3
    assert set(models) == {id(embedder)}


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


def test_reopening_does_not_load_a_model_twice(fake_store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch_qa import qa

    loaded: list[FakeEmbedder] = []

    def load(*_: object) -> FakeEmbedder:
        loaded.append(FakeEmbedder())
        return loaded[-1]

    monkeypatch.setattr(qa, "load_embedder", load)
    first = DispatchQA(fake_store)
    again = first.reopened()
    assert again.ask(QUESTION) == first.ask(QUESTION)
    assert len(loaded) == 1
    build(replace(fake_store), embedder=FakeEmbedder("another"))
    other = first.reopened()
    with pytest.raises(StoreOutdated, match="holds vectors of another"):
        other.ask(QUESTION)
