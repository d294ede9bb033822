from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatch_qa import InputRejected
from dispatch_qa.web.server import listen
from dispatch_qa.web.settings import ServerSettings

REPO = Path(__file__).parent.parent
QUESTION = "Which British firms attended?"


class Served:
    """The real command in a process of its own."""

    def __init__(self, *options: str, **variables: str) -> None:
        self._log = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dispatch_qa", "serve", *options],
            env=os.environ | {"DISPATCH_QA_PORT": "0", "DISPATCH_QA_NO_FEEDBACK": "1"} | variables,
            stderr=self._log,
            cwd=REPO,
        )
        self.url = ""

    def wait(self, seconds: float = 120) -> str:
        """The address, once the server can answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(r"serving on (http://[^\"\s]+)", self.log()):
                self.url = found[1]
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return self.url
            time.sleep(0.05)
        raise AssertionError(self.log())

    def log(self) -> str:
        return os.pread(self._log.fileno(), 1 << 20, 0).decode()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines()]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    running = Served()
    try:
        running.wait()
        yield running
        assert running.process.poll() is None
    finally:
        assert running.stop() == 0


def raw(url: str, data: bytes) -> bytes:
    """What comes back for bytes that no client would send."""
    host, port = re.findall(r"//(.*):(\d+)", url)[0]
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        found = b""
        with contextlib.suppress(OSError):  # the server may hang up before all is sent
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while part := connection.recv(1 << 16):
                found += part
    return found


@pytest.mark.model
def test_the_page_the_api_and_the_tools_are_one_server(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "gradio_config" in page.text
        assert "'sha256-" in page.headers["content-security-policy"]
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/metrics").text.count("dispatch_qa_requests_total{")
        answer = client.post("/api/v1/ask", json={"question": QUESTION, "k": 1}).json()
        assert "BAE Systems" in answer["citations"][0]["quote"]
        assert client.get("/").headers.get("server") is None
    # What is prepared once, on a new machine, may be told before.
    assert any(event["event"].startswith("serving on http://127.0.0.1:") for event in served.events())
    assert QUESTION not in served.log()


@pytest.mark.model
def test_gradios_own_client_works_through_the_guard(served: Served) -> None:
    from gradio_client import Client

    client = Client(served.url, verbose=False)
    answer = client.predict(QUESTION, 1, api_name="/ask")
    assert "BAE Systems" in answer["citations"][0]["quote"]


@pytest.mark.model
def test_200_questions_at_once_get_answers_and_friendly_refusals_only(served: Served) -> None:
    go = threading.Barrier(200)

    def ask(_: int) -> httpx.Response:
        go.wait(60)
        return httpx.post(f"{served.url}/api/v1/ask", json={"question": QUESTION, "k": 1}, timeout=120)

    with ThreadPoolExecutor(200) as users:
        answers = list(users.map(ask, range(200)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    right = [answer.json() for answer in answers if answer.status_code == 200]
    assert right
    assert all(answer == right[0] for answer in right)
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "1"
            assert "ask again in a moment" in answer.json()["error"]["message"]
    assert httpx.post(f"{served.url}/api/v1/ask", json={"question": QUESTION}).status_code == 200


@pytest.mark.model
@pytest.mark.parametrize(
    "data",
    [
        b"GET /api/v1/info HTTP/1.1\r\n\r\n",
        b"GET /api/v1/info HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/api/v1/info HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /gradio_api/file=../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /static/../../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //evil.example/%2e%2e HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 50_000 + b"\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\r\n : y\r\n\r\n",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n{}{}{",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n{}",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 1_000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"",
    ],
)
def test_bytes_that_no_client_would_send_do_no_harm(served: Served, data: bytes) -> None:
    answer = raw(served.url, data)
    status = int(answer.split()[1]) if answer else 400
    assert 400 <= status < 500
    assert b"root:x:" not in answer
    assert b"\r\nset-cookie" not in answer.lower()
    assert httpx.get(f"{served.url}/healthz").status_code == 200


@pytest.mark.model
def test_what_follows_a_refused_body_is_not_taken_for_a_request(served: Served) -> None:
    hidden = b"GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b"x" * (1 << 20) + hidden
    head = b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    answer = raw(served.url, head + body)
    assert answer.count(b"HTTP/1.1") <= 1
    assert b"generation" not in answer


@pytest.mark.model
def test_an_open_server_warns_and_a_guarded_one_asks_for_the_password() -> None:
    running = Served(
        "--host", "0.0.0.0", "--token", "long-token", DISPATCH_QA_AUTH="editor:secret", DISPATCH_QA_LOG_QUESTIONS="1"
    )
    try:
        url = running.wait().replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/").status_code == 401
        assert httpx.get(f"{url}/", auth=("editor", "secret")).status_code == 200
        assert httpx.get(f"{url}/metrics", headers={"authorization": "Bearer long-token"}).status_code == 200
        httpx.post(f"{url}/api/v1/ask", json={"question": QUESTION}, auth=("editor", "secret"))
    finally:
        assert running.stop() == 0
    events = running.events()
    assert any("put a proxy with TLS before it" in event["event"] for event in events)
    assert [event["question"] for event in events if event["event"] == "question"] == [QUESTION]
    assert "secret" not in running.log()
    assert "long-token" not in running.log()


@pytest.mark.model
def test_ctrl_c_stops_it_quietly() -> None:
    running = Served("--plain-logs")
    try:
        running.wait()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 130
    finally:
        running.stop()
    assert "Traceback" not in running.log()
    assert "dispatch-qa: serving on http://127.0.0.1:" in running.log()


def test_a_port_in_use_says_so_and_what_to_type_next() -> None:
    with listen(ServerSettings(port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputRejected, match=f"in use.*dispatch-qa serve --port {port + 1}"):
            listen(ServerSettings(port=port))


def test_an_answer_does_not_wait_for_its_headers_to_be_acknowledged() -> None:
    with listen(ServerSettings(port=0)) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["no.such.name.invalid", "8.8.8.8", "\udcff", "x" * 300])
def test_an_address_that_is_not_this_machines_says_so(host: str) -> None:
    with pytest.raises(InputRejected, match="cannot be listened on"):
        listen(ServerSettings(host=host))


def test_a_missing_store_ends_the_command_with_its_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dispatch_qa", "serve", "--port", "0", "--index", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "make one with: dispatch-qa build" in done.stderr
    assert "Traceback" not in done.stderr
