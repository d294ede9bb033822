"""150 hostile strings in every place that takes one: nothing breaks, nothing leaks, nothing comes back as markup."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fakes import FakeEmbedder
from fastapi.testclient import TestClient
from httpx2 import Response
from payloads import PAYLOADS, XSS
from served import client

from dispatch_qa import Dispatch, Settings, build
from dispatch_qa.web.pool import Pool

SECRET = "the-secret-in-the-servers-environment"
TELL_TALES = ("root:x:0", SECRET, "Traceback", "SQLite format", "uid=0(")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store in which every dispatch's id, text and fields are hostile themselves."""
    settings = replace(Settings.from_env(), index=tmp_path_factory.mktemp("hostile") / "store")
    texts = [payload for payload in PAYLOADS if payload.strip() and "\x00" not in payload and payload.isprintable()]
    dispatches = [
        Dispatch(f"{number} {text[:200]}", f"Kiev {number}. {text}", headline=text, slug=text, byline=text, agency=text)
        for number, text in enumerate(texts)
    ]
    build(settings, dispatches=dispatches, embedder=FakeEmbedder())
    return settings


def mount_page(app: Any, pool: Pool) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from dispatch_qa.web.page import mount

    mount(app, pool)


@pytest.fixture(scope="module")
def api(store: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    os.environ["DISPATCH_QA_TEST_SECRET"] = SECRET
    with client(store, feedback=tmp_path_factory.mktemp("kept"), mount=mount_page) as opened:
        opened.follow_redirects = False
        yield opened
    del os.environ["DISPATCH_QA_TEST_SECRET"]


@pytest.fixture(autouse=True)
def no_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is asked makes the server look a name up or connect anywhere."""

    def refuse(*arguments: object, **_: object) -> None:
        raise AssertionError(f"a connection was tried: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def harmless(answer: Response, payload: str, *, gradios: bool = False) -> None:
    """What must hold of any answer. Gradio says of a function that it does not have, and no more, that it failed."""
    told = f"{payload!r} → {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500 or (gradios and answer.text == "Internal Server Error"), told
    assert not any(tale in answer.text for tale in TELL_TALES), told
    assert "set-cookie" not in answer.headers, told
    assert "evil.example" not in answer.headers.get("location", ""), told
    assert len(payload) < 4 or not any(payload in value for value in answer.headers.values()), told
    assert "'unsafe-eval'" not in answer.headers["content-security-policy"], told
    assert answer.headers["x-content-type-options"] == "nosniff", told
    kind = answer.headers.get("content-type", "")
    assert kind.startswith(("application/json", "text/html", "text/plain", "text/event-stream")) or not answer.content
    if kind.startswith("application/json"):
        answer.json()
    elif payload in XSS:
        assert payload not in answer.text, told


def mcp_call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    headers = {"accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return {"method": "POST", "url": "/mcp", "json": body, "headers": headers}


def post(path: str, body: Any) -> dict[str, Any]:
    # Not every payload can be written in UTF-8 as it stands; JSON escapes say all of them.
    return {"method": "POST", "url": path, "content": json.dumps(body), "headers": {"content-type": "application/json"}}


def get(path: str, **params: str) -> dict[str, Any]:
    return {"method": "GET", "url": path, "params": params}


FIELDS = ("language", "agency", "slug", "status", "folder")
JUDGED = {"question": "Kiev", "dispatch_id": "x", "start": 0, "end": 5, "relevant": True}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "question": lambda text: post("/api/v1/ask", {"question": text}),
    "question searched": lambda text: post("/api/v1/search", {"question": text}),
    "number of passages": lambda text: post("/api/v1/ask", {"question": "Kiev", "k": text}),
    "name of a field": lambda text: post("/api/v1/ask", {"question": "Kiev", text: text}),
    "the whole body": lambda text: {"method": "POST", "url": "/api/v1/ask", "content": text.encode()},
    "type of the body": lambda text: {
        "method": "POST",
        "url": "/api/v1/ask",
        "content": b"{}",
        "headers": {"content-type": quote(text, safe="<>'\"/;= ")},
    },
    "id of a dispatch": lambda text: get("/api/v1/show", id=text),
    "name of a parameter": lambda text: get("/api/v1/show", **{"id": "x", text: text}),
    "judged question": lambda text: post("/api/v1/feedback", JUDGED | {"question": text}),
    "judged dispatch": lambda text: post("/api/v1/feedback", JUDGED | {"dispatch_id": text}),
    "judged place": lambda text: post("/api/v1/feedback", JUDGED | {"start": text}),
    "path": lambda text: get("/" + quote(text)),
    "path below the API": lambda text: get("/api/v1/" + quote(text)),
    "path below Gradio": lambda text: get("/gradio_api/file=" + quote(text)),
    "path below Gradio, slashes as they are": lambda text: get("/gradio_api/file=" + quote(text, safe="/:\\%")[:1_000]),
    "path of the page's files": lambda text: get("/page/" + quote(text)),
    "path of static files": lambda text: get("/static/" + quote(text)),
    "permalink": lambda text: get("/", q=text),
    "dispatch on the page": lambda text: get("/page/dispatch", id=text, store=text),
    "why on the page": lambda text: post("/page/why", {"question": text, "start": 0, "id": text, "store": text}),
    "filter": lambda text: post("/api/v1/ask", {"question": "Kiev", "where": dict.fromkeys(FIELDS, text)}),
    "day of a filter": lambda text: post("/api/v1/search", {"question": "Kiev", "where": {"since": text}}),
    "name of a filter's field": lambda text: post("/api/v1/ask", {"question": "Kiev", "where": {text: text}}),
    "filter on the page": lambda text: post(
        "/page/why", {"question": "Kiev", "start": 0, "id": "x", "where": dict.fromkeys(FIELDS, text)}
    ),
    "file where none is taken": lambda text: {
        "method": "POST",
        "url": "/api/v1/add",
        "params": {"name": text},
        "content": text.encode(),
    },
    "header": lambda text: {
        "method": "GET",
        "url": "/",
        "headers": dict.fromkeys(
            ("user-agent", "referer", "cookie", "accept-language", "x-forwarded-for", "x-gradio-server", "range"),
            quote(text, safe="<>'\"/;=:@ ")[:4_000],
        ),
    },
    "name by a proxy": lambda text: {
        "method": "GET",
        "url": "/",
        "headers": {"x-forwarded-host": quote(text, safe="<>'\"/;=:@ ")[:4_000], "x-forwarded-proto": "javascript"},
    },
    "credentials": lambda text: {
        "method": "POST",
        "url": "/api/v1/ask",
        "json": {"question": "Kiev"},
        "headers": {"authorization": quote(text, safe="<>'\"/;=:@ ")[:4_000]},
    },
    "Gradio's question": lambda text: post("/gradio_api/call/ask", {"data": [text, 3, None]}),
    "Gradio's function": lambda text: post("/gradio_api/call/" + quote(text, safe=""), {"data": [text]}),
    "Gradio's session": lambda text: post(
        "/gradio_api/queue/join", {"data": [text], "session_hash": text, "fn_index": 0}
    ),
    "Gradio's file": lambda text: post(
        "/gradio_api/call/ask", {"data": [{"path": text, "meta": {"_type": "gradio.FileData"}}, 3]}
    ),
    "assistant's question": lambda text: mcp_call("ask", {"question": text}),
    "assistant's filter": lambda text: mcp_call("ask", {"question": "Kiev", "where": dict.fromkeys(FIELDS, text)}),
    "assistant's dispatch": lambda text: mcp_call("show", {"dispatch_id": text}),
    "assistant's tool": lambda text: mcp_call(text, {}),
}


def test_there_are_150_different_payloads() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 150


@pytest.mark.parametrize("place", PLACES)
def test_no_payload_does_harm(api: TestClient, place: str) -> None:
    for payload in PAYLOADS:
        harmless(api.request(**PLACES[place](payload)), payload, gradios=place.startswith("Gradio's"))
    assert api.post("/api/v1/ask", json={"question": "Kiev"}).status_code == 200


@pytest.mark.parametrize("place", ["name", "content"])
def test_no_payload_does_harm_in_a_file_that_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    settings = replace(Settings.from_env(), index=tmp_path / "store")
    build(settings, embedder=FakeEmbedder())
    folder = tmp_path / "data" / "dispatch-qa" / "added"
    with client(settings, allow_add=True) as opened:
        for number, payload in enumerate(PAYLOADS):
            name = payload if place == "name" else f"copy {number}.txt"
            body = payload.encode() if place == "content" else f"Kiev {number}.".encode()
            answer = opened.post("/api/v1/add", params={"name": name}, content=body)
            assert answer.status_code in (200, 422), answer.text
            harmless(answer, payload)
            assert str(tmp_path) not in answer.text
        kept = [file for file in tmp_path.rglob("*") if file.is_file() and file.parent != settings.index]
        assert kept
        assert {file.parent for file in kept} == {folder}
        assert opened.post("/api/v1/ask", json={"question": "Kiev"}).status_code == 200


def test_hostile_dispatches_are_quoted_letter_for_letter_as_data(api: TestClient, store: Settings) -> None:
    ids = api.get("/api/v1/info").json()["dispatches"]
    assert len(ids) > 100
    for dispatch_id in ids:
        dispatch = api.get("/api/v1/show", params={"id": dispatch_id})
        harmless(dispatch, dispatch_id)
        number, _, payload = dispatch_id.partition(" ")
        assert dispatch.json()["text"].startswith(f"Kiev {number}.")
        assert dispatch.json()["headline"] == dispatch.json()["slug"]
        answer = api.post("/api/v1/ask", json={"question": f"Kiev {number}", "k": 3})
        harmless(answer, payload)
        for citation in answer.json()["citations"]:
            text = api.get("/api/v1/show", params={"id": citation["dispatch_id"]}).json()["text"]
            assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_no_file_of_the_server_is_served(api: TestClient, store: Settings, tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text(SECRET)
    here = Path(__file__).resolve()
    for file in (planted, here, store.index / "dispatches.sqlite", Path("/etc/passwd")):
        assert file.is_file()
        for door in (
            "gradio_api/file=",
            "gradio_api/file/",
            "file=",
            "gradio_api/stream/",
            "static/",
            "assets/",
            "page/",
        ):
            for name in (str(file), quote(str(file), safe=""), "/" + str(file), os.path.relpath(file)):
                answer = api.get(f"/{door}{name}")
                assert answer.status_code in (307, 400, 401, 403, 404, 405, 422), (door, name, answer.text[:200])
                harmless(answer, name)


def test_no_file_is_copied_to_where_gradio_would_serve_it(api: TestClient, tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text(SECRET)
    named = {"path": str(planted), "meta": {"_type": "gradio.FileData"}, "orig_name": "x.txt"}
    for place in ("call/ask", "call/v2/ask", "run/ask", "queue/join"):
        body = {"data": [named, 3], "question": named, "fn_index": 0, "session_hash": "x"}
        assert api.post(f"/gradio_api/{place}", json=body).status_code == 403
    cache = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
    assert not list(cache.rglob("planted.txt"))


def test_a_flood_of_fields_and_depth_is_refused(api: TestClient) -> None:
    bodies = [
        {"question": "Kiev", **{f"f{n}": n for n in range(10_000)}},
        {"question": {"a": [[[[[[]]]]]] * 1000}},
        [{"question": "Kiev"}] * 1000,
    ]
    for body in bodies:
        answer = api.request(**post("/api/v1/ask", body))
        assert answer.status_code == 422
        assert len(answer.text) < 2_000
    assert api.get("/api/v1/show", params={"id": "x" * 1_001}).status_code == 422
    assert api.request("POST", "/api/v1/ask", content=b'{"question": "' + b"x" * (1 << 20) + b'"}').status_code == 413


def test_uploads_are_refused(api: TestClient) -> None:
    for path in ("/gradio_api/upload", "/gradio_api/upload?upload_id=x", "/upload"):
        answer = api.post(path, files={"files": ("../../x.html", b"<script>alert(1)</script>", "text/html")})
        assert answer.status_code == 403
