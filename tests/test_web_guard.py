from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from served import client, made_once

from dispatch_qa import Settings
from dispatch_qa.web import guard
from dispatch_qa.web.asgi import App, Message, Receive, Scope, Send
from dispatch_qa.web.guard import BodyLimit, guarded
from dispatch_qa.web.settings import ServerSettings

ASK = "/api/v1/ask"
BODY = {"question": "armes occidentales", "k": 1}


@pytest.fixture(scope="module")
def fake_store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return made_once(tmp_path_factory)


@pytest.fixture(scope="module")
def api(fake_store: Settings) -> Iterator[TestClient]:
    with client(fake_store) as opened:
        yield opened


def basic(text: str, scheme: str = "Basic") -> dict[str, str]:
    return {"authorization": f"{scheme} {base64.b64encode(text.encode()).decode()}"}


def page(html: str) -> TestClient:
    """A guarded app of one page."""
    app = FastAPI()

    @app.get("/")
    def root() -> HTMLResponse:
        return HTMLResponse(
            html, headers={"access-control-allow-origin": "https://evil.example", "x-frame-options": "a"}
        )

    return TestClient(guarded(app, ServerSettings()), base_url="http://localhost")


# Names


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:7860", "127.0.0.1", "127.0.0.1:1", "[::1]:7860", "LOCALHOST", "localhost."]
)
def test_loopback_names_are_known(api: TestClient, host: str) -> None:
    assert api.get("/api/v1/info", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example#localhost",
        "10.0.0.1",
        "127.0.0.1.nip.io",
        "",
        "localhost:99999999",
        "localhost, evil.example",
        "localhost\tevil.example",
        "[::1].evil.example",
        "[evil]",
        "[:::::]",
        "[1.2]:80",
    ],
)
def test_other_names_are_refused(api: TestClient, host: str) -> None:
    answer = api.get("/api/v1/info", headers=[("host", host)])
    assert answer.status_code == 421
    assert "--name" in answer.json()["error"]["message"]


def test_two_names_at_once_are_refused(api: TestClient) -> None:
    headers = [("host", "localhost"), ("host", "evil.example")]
    assert api.get("/api/v1/info", headers=headers).status_code == 421


@pytest.mark.parametrize("name", ["evil.example", "localhost, evil.example", "javascript:alert(1)", "localhost:80:80"])
def test_a_proxys_word_for_the_name_is_held_to_the_same(api: TestClient, name: str) -> None:
    assert api.get("/api/v1/info", headers={"x-forwarded-host": name}).status_code == 421
    assert api.get("/api/v1/info", headers={"x-forwarded-host": "localhost:7860"}).status_code == 200


def test_an_open_server_is_called_by_any_address_and_by_its_names_alone(fake_store: Settings) -> None:
    with client(fake_store, host="0.0.0.0", names=("news.example",)) as api:
        for host, status in {
            "192.168.1.5:80": 200,
            "[fe80::1]": 200,
            "News.example": 200,
            "other.example": 421,
        }.items():
            assert api.get("/api/v1/info", headers={"host": host}).status_code == status


# Origins


@pytest.mark.parametrize("origin", ["http://localhost:7860", "https://localhost:7860", "HTTP://LOCALHOST:7860"])
def test_the_servers_own_page_may_ask(api: TestClient, origin: str) -> None:
    assert api.post(ASK, json=BODY, headers={"origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:7861"},
        {"origin": "http://localhost:7860.evil.example"},
        {"origin": "http://localhost:7860@evil.example"},
        {"origin": "file://"},
        {"origin": "http://[bad"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://localhost:7860"},
    ],
)
def test_other_sites_pages_may_not_ask(api: TestClient, headers: dict[str, str]) -> None:
    assert api.post(ASK, json=BODY, headers=headers).status_code == 403


def test_no_origin_is_let_in_by_a_header(api: TestClient) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = api.request(method, "/api/v1/info", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


# Credentials


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("editor:wrong"),
        basic("editor:"),
        basic("editor"),
        basic(":secret"),
        basic("Editor:secret"),
        basic("editor:secret "),
        basic("editor:secret", "Bearer"),
        {"authorization": "Basic"},
        {"authorization": "Basic editor:secret"},
        {"authorization": "Basic ===="},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic long-token"},
        {"cookie": "access-token=long-token"},
        {"authorization": "Bearer " + "A" * 5000},
    ],
)
def test_wrong_and_missing_credentials_are_refused_everywhere(fake_store: Settings, headers: dict[str, str]) -> None:
    with client(fake_store, auth="editor:secret", token="long-token") as api:
        for method, path in [
            ("POST", ASK),
            ("GET", "/api/v1/show?id=dispatch.fr"),
            ("GET", "/metrics"),
            ("GET", "/"),
            ("POST", "/mcp"),
            ("GET", "/api/v1/openapi.json"),
            ("POST", "/api/v1/add?name=port.txt"),
            ("POST", "/gradio_api/call/ask"),
            ("GET", "/page/desk"),
            ("GET", "//healthz"),
            ("GET", "/healthz/"),
        ]:
            answer = api.request(method, path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
            assert "dispatch.fr" not in answer.text
        assert api.get("/healthz").status_code == 200


def test_right_credentials_are_let_in_with_every_request_anew(fake_store: Settings) -> None:
    with client(fake_store, auth="édith:pass:wörd", token="long-token") as api:
        for headers in (
            basic("édith:pass:wörd"),
            basic("édith:pass:wörd", "bAsIc"),
            {"authorization": "bearer long-token"},
        ):
            answer = api.post(ASK, json=BODY, headers=headers)
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
            # Nothing of it is remembered, so that nothing can be replayed without the secret.
            assert api.post(ASK, json=BODY).status_code == 401


def test_credentials_of_another_server_are_worth_nothing(fake_store: Settings) -> None:
    with client(fake_store, auth="editor:new-secret") as api:
        assert api.post(ASK, json=BODY, headers=basic("editor:old-secret")).status_code == 401


# Gradio's doors


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://169.254.169.254/latest/meta-data",
        "/gradio_api/file=https%3A%2F%2Fevil.example%2Fx",
        "/gradio_api/file=https%253A%252F%252Fevil.example",
        "/gradio_api/file=HTTP://evil.example",
        "/gradio_api/file=ftp://evil.example",
        "/gradio_api/file=//evil.example/x",
        "/gradio_api/file=\\\\evil.example\\x",
        "/file=http://evil.example",
        "/gradio_api/file/http://evil.example",
        "/gradio_api/file=../../etc/passwd",
        "/gradio_api/file=/tmp/../etc/passwd",
        "/gradio_api/file=%2e%2e%2fetc/passwd",
        "/gradio_api/file=%252e%252e/etc/passwd",
        "/gradio_api/file=..\\..\\etc\\passwd",
        "/gradio_api/proxy=https://evil.hf.space/x",
        "/gradio_api/deep_link",
        "/static/../../etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "/gradio_api/UPLOAD",
        "/gradio_api/upload_progress",
        "/gradio_api/component_server",
    ],
)
def test_the_doors_that_the_page_does_not_need_are_shut(fake_store: Settings, path: str) -> None:
    opened: list[str] = []
    with client(fake_store, mount=lambda app, _: app.mount("/", _open_house(opened))) as api:
        for method in ("GET", "POST"):
            assert asyncio.run(_raw(api.app, method, path)) == 403
    assert opened == []


@pytest.mark.parametrize(
    "path", ["/gradio_api/file=/tmp/icon.svg", "/assets/index-a1.js", "/gradio_api/queue/join", "/static/a..b.css"]
)
def test_the_others_stay_open(fake_store: Settings, path: str) -> None:
    opened: list[str] = []
    with client(fake_store, mount=lambda app, _: app.mount("/", _open_house(opened))) as api:
        assert api.get(path).status_code == 200
    assert opened == [path]


@pytest.mark.parametrize("place", ["run/ask", "call/ask", "call/v2/ask", "queue/join", "api/ask"])
@pytest.mark.parametrize(
    "data",
    [
        [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}],
        [[[{"a": [{"path": "/dev/zero", "url": "http://evil.example"}]}]]],
        [{"p\\u0061th": "https://evil.example", "meta": {}}],
    ],
)
def test_no_request_names_a_file_for_gradio_to_read(fake_store: Settings, place: str, data: object) -> None:
    opened: list[str] = []
    with client(fake_store, mount=lambda app, _: app.mount("/", _open_house(opened))) as api:
        body = json.dumps({"data": data}).replace("\\\\u", "\\u").encode()
        for encoded in (body, body.decode().encode("utf-16")):
            answer = api.post(f"/gradio_api/{place}", content=encoded, headers={"content-type": "application/json"})
            assert answer.status_code == 403
    assert opened == []


def test_other_bodies_reach_the_app_as_they_were_sent(fake_store: Settings) -> None:
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append((await receive())["body"])
        await _open_house([])(scope, receive, send)

    sent = [b"", b"path", b'{"data": ["path", {"paths": 1}]}', b"[" * 5_000, b"\xff", b'{"a": ' * 5_000]
    with client(fake_store, mount=lambda outer, _: outer.mount("/", app)) as api:
        for body in sent:
            assert api.post("/gradio_api/call/ask", content=body).status_code == 200
    assert bodies == sent


def _open_house(opened: list[str]) -> App:
    """An app that lets everybody in, and says where they went."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        opened.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def _raw(app: Any, method: str, path: str) -> int:
    """The status that a path gets which no client has tidied up."""
    from urllib.parse import unquote

    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "http_version": "1.1",
        "scheme": "http",
        "client": None,
        "server": None,
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"])


# Bodies


def test_a_body_that_says_it_is_too_large_is_not_read(api: TestClient) -> None:
    answer = api.post(ASK, content=b"x" * (1 << 20) + b"x", headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_say_how_large_it_is_is_counted(api: TestClient) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield b"x" * 100_000

    assert api.post(ASK, content=endless()).status_code == 413


def test_bytes_past_the_limit_are_not_asked_for() -> None:
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    assert asyncio.run(_body_status({"content-length": "1"}, receive)) == 413
    assert asked == 3


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.01)

    async def receive() -> Message:
        await asyncio.sleep(10)
        raise AssertionError

    assert asyncio.run(_body_status({}, receive)) == 408


@pytest.mark.parametrize("length", ["-1", "x", "１", "1" * 400])
def test_a_length_that_makes_no_sense_does_no_harm(length: str) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 10}

    assert asyncio.run(_body_status({"content-length": length}, receive)) in (200, 413)


async def _body_status(headers: dict[str, str], receive: Receive) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": named}
    await BodyLimit(_open_house([]), 1_000)(scope, receive, send)
    return int(sent[0]["status"])


# Headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/api/v1/info", {}),
        ("POST", ASK, {}),
        ("GET", "/nothing", {}),
        ("GET", "/", {"host": "evil.example"}),
        ("POST", ASK, {"origin": "https://evil.example"}),
        ("GET", "/gradio_api/proxy=x", {}),
    ],
)
def test_every_answer_has_the_security_headers(
    api: TestClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = api.request(method, path, headers=headers)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "http" not in policy["img-src"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_a_server_error_has_them_too_and_tells_nothing(fake_store: Settings) -> None:
    def mount(app: FastAPI, _: object) -> None:
        @app.get("/broken")
        def broken() -> None:
            raise RuntimeError("secret")

    with client(fake_store, mount=mount) as api:
        answer = api.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_pages_own_inline_scripts_are_allowed_by_digest_and_no_others() -> None:
    script = "window.config = {'a': 1};\n"
    html = f"<html><script src='/a.js'></script><script>{script}</script><SCRIPT type=module>x()</SCRIPT></html>"
    with page(html) as opened:
        answer = opened.get("/", headers={"accept": "text/html", "accept-encoding": "br, gzip"})
    assert answer.text == html
    policy = answer.headers["content-security-policy"]
    for inline in (script, "x()"):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in policy
    assert policy.count("'sha256-") == 2
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert "'unsafe-eval'" not in policy


def test_what_the_app_says_about_origins_and_frames_is_replaced() -> None:
    with page("<p>") as opened:
        answer = opened.get("/")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers.get_list("x-frame-options") == ["DENY"]


def test_web_sockets_are_closed() -> None:
    async def run() -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")]}
        await guarded(_open_house([]), ServerSettings())(scope, receive, send)
        return sent

    assert asyncio.run(run()) == [{"type": "websocket.close", "code": 1008}]
