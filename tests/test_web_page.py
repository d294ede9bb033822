"""The page as a server serves it: its files, its JSON, its API for clients, and the words it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from fakes import FakeEmbedder
from fastapi import FastAPI
from fastapi.testclient import TestClient
from served import client
from starlette.routing import Mount

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.records import Dispatch
from dispatch_qa.web.page import mount, words
from dispatch_qa.web.routes import STATIC


@pytest.fixture
def page(fake_store: Settings) -> Iterator[TestClient]:
    with client(fake_store, mount=lambda app, pool: mount(app, pool)) as opened:
        yield opened


def test_the_page_names_only_files_of_its_own_server(page: TestClient) -> None:
    shown = page.get("/")
    assert shown.status_code == 200
    config = json.loads(shown.text.split("window.gradio_config = ", 1)[1].split(";</script>", 1)[0])
    assert "https://" not in config["head"]
    assert config["analytics_enabled"] is False
    assert config["title"] == "Dispatch QA"
    assert config["footer_links"] == []


def test_gradio_keeps_and_sums_up_no_more_than_it_must(fake_store: Settings) -> None:
    app = FastAPI()
    with closing(DispatchQA(fake_store, FakeEmbedder())) as store:
        mount(app, store)
    (mounted,) = [route.app for route in app.routes if isinstance(route, Mount)]
    queue = mounted.get_blocks()._queue  # type: ignore[attr-defined]
    assert mounted.state_holder.capacity == 200  # type: ignore[attr-defined]
    assert queue.ANALYTICS_MAX_EVENTS == 1
    assert queue.ANAYLTICS_CACHE_FREQUENCY > 10**9


@pytest.mark.parametrize("name", sorted(file.name for file in STATIC.iterdir()))
def test_each_of_the_page_s_files_is_served_as_what_it_is(page: TestClient, name: str) -> None:
    response = page.get(f"/page/{name}")
    assert response.status_code == 200
    kind = {"js": "javascript", "css": "css", "json": "json", "svg": "svg"}[name.rpartition(".")[2]]
    assert kind in response.headers["content-type"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "http://" not in response.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in response.text
    assert "innerHTML" not in response.text


@pytest.mark.parametrize("name", ["nothing.js", "..%2Froutes.py", "%2e%2e%2froutes.py", ""])
def test_no_other_file_is(page: TestClient, name: str) -> None:
    assert page.get(f"/page/{name}").status_code in (403, 404)


def test_a_dispatch_is_told_whole(page: TestClient, dispatch: Dispatch) -> None:
    assert page.get("/page/dispatch", params={"id": dispatch.id}).json()["text"] == dispatch.text
    gone = page.get("/page/dispatch", params={"id": "gone"})
    assert (gone.status_code, gone.json()) == (404, {"error": "there is no dispatch 'gone'"})


def test_why_tells_the_parts_of_a_score(page: TestClient) -> None:
    asked: dict[str, str | int] = {"question": "conférence Ukroboronprom Telegram", "id": "dispatch.fr", "start": 1212}
    told = page.post("/page/why", json=asked).json()
    assert told["rank"] == 1
    assert set(told["parts"]) == {"dense", "sentence", "lexical"}
    assert page.post("/page/why", json=asked | {"start": 1}).status_code == 404
    assert page.post("/page/why", json=asked | {"question": " "}).status_code == 404
    assert page.post("/page/why", json=asked | {"k": 10_000}).status_code == 422
    assert page.post("/page/why", json=asked | {"where": {"language": "fr"}}).json() == told
    assert page.post("/page/why", json=asked | {"where": {"language": "en"}}).status_code == 404


def test_the_desk_tells_what_it_holds_and_not_where(page: TestClient, fake_store: Settings) -> None:
    told = page.get("/page/desk")
    assert told.json() == {
        "dispatches": 1,
        "passages": 11,
        "first": "dispatch.fr",
        "shipped": True,
        "command": None,
        "may_add": False,
    }
    assert str(fake_store.index) not in told.text


def test_both_languages_say_the_same_things() -> None:
    english, french = words()["en"], words()["fr"]
    assert set(english) == set(french)
    for key, text in english.items():
        assert sorted(part.split("}")[0] for part in text.split("{")[1:]) == sorted(
            part.split("}")[0] for part in french[key].split("{")[1:]
        ), key


def test_the_script_says_no_word_that_is_not_written_down() -> None:
    scripts = "".join(file.read_text(encoding="utf-8") for file in STATIC.iterdir() if file.name.endswith(".js"))
    said = set(re.findall(r'\bsay\("(\w+)"', scripts))
    assert said
    assert said <= set(words()["en"])
