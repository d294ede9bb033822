from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from served import client, made_once

from dispatch_qa import Settings
from dispatch_qa.web import logs

SECRET = "Babcock International Group"
ASK = "/api/v1/ask"


@pytest.fixture(scope="module")
def fake_store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return made_once(tmp_path_factory)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the package logs during a test."""
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    for name in (logs.LOGGER, "uvicorn.error", "mcp"):
        logging.getLogger(name).handlers.clear()


def lines(written: io.StringIO, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


def figures(text: str) -> dict[str, float]:
    """Prometheus's text as a mapping."""
    rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_requests_are_written_down_as_json_without_the_question(fake_store: Settings, written: io.StringIO) -> None:
    with client(fake_store) as api:
        answer = api.post(ASK, json={"question": SECRET})
        api.get("/api/v1/show", params={"id": SECRET})
        api.post(ASK, json={"question": f"{SECRET} ?", "k": 0})
        api.get(f"/?q={SECRET}")
    assert SECRET.split()[0] not in written.getvalue()
    first = lines(written, "request")[0]
    assert {key: first[key] for key in ("level", "method", "path", "status")} == {
        "level": "info",
        "method": "POST",
        "path": ASK,
        "status": 200,
    }
    assert first["id"] == answer.headers["x-request-id"]
    assert first["ms"] > 0
    assert [line["status"] for line in lines(written, "request")] == [200, 404, 422, 404]


def test_questions_are_written_down_where_that_is_asked_for(fake_store: Settings, written: io.StringIO) -> None:
    with client(fake_store, log_questions=True) as api:
        api.post(ASK, json={"question": SECRET})
        api.post(ASK, json={"question": " ?! "})
    found = [(line["question"], line["outcome"]) for line in lines(written, "question")]
    assert found == [(SECRET, "answered"), (" ?! ", "rejected")]


@pytest.mark.parametrize("forged", ["a\r\n{}", "a\u2028{}", "\x1b[2J", "a\x00b", '"}\n{"event": "request"}'])
def test_no_path_and_no_question_forges_a_line(fake_store: Settings, written: io.StringIO, forged: str) -> None:
    with client(fake_store, log_questions=True) as api:
        api.get(f"/{quote(forged)}")
        api.post(ASK, json={"question": f"{forged} armes"})
    assert all(json.loads(line)["event"] in ("request", "question") for line in written.getvalue().splitlines())
    assert written.getvalue().isascii()
    assert "\x1b" not in written.getvalue()


def test_a_person_at_a_terminal_is_spared_the_requests(fake_store: Settings) -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=False)
    with client(fake_store) as api:
        api.get("/api/v1/info")
    logs.log("serving on http://127.0.0.1:7860")
    logs.log("no password", logging.WARNING)
    assert stream.getvalue() == "dispatch-qa: serving on http://127.0.0.1:7860\ndispatch-qa: no password\n"


def test_figures_tell_requests_and_questions_apart(fake_store: Settings) -> None:
    with client(fake_store) as api:
        for question in (SECRET, SECRET, " ?! "):
            api.post(ASK, json={"question": question})
        answer = api.get("/metrics")
    told = figures(answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert told['dispatch_qa_questions_total{outcome="answered"}'] == 2
    assert told['dispatch_qa_questions_total{outcome="rejected"}'] == 1
    assert told[f'dispatch_qa_requests_total{{method="POST",route="{ASK}",status="200"}}'] == 2
    assert told[f'dispatch_qa_requests_total{{method="POST",route="{ASK}",status="422"}}'] == 1
    assert told[f'dispatch_qa_request_seconds_count{{route="{ASK}"}}'] == 3
    assert told["dispatch_qa_pending_questions"] == 0
    assert told["process_resident_memory_bytes"] > 0


def test_strangers_paths_and_methods_make_no_new_figures(fake_store: Settings) -> None:
    with client(fake_store) as api:
        for number in range(20):
            api.get(f"/nothing/{number}")
            api.request(f"METHOD{number}", "/api/v1/info")
            api.get(f"/x{number}/api/v1/made-up-{'a' * number}")
        told = figures(api.get("/metrics").text)
    requests = {name for name in told if name.startswith("dispatch_qa_requests_total")}
    assert len(requests) <= 4


def test_a_failure_is_counted_and_written_down(fake_store: Settings, written: io.StringIO) -> None:
    def mount(app: FastAPI, _: object) -> None:
        @app.get("/broken")
        def broken() -> None:
            raise RuntimeError("the cause")

    with client(fake_store, mount=mount) as api:
        api.get("/broken")
        told = figures(api.get("/metrics").text)
    assert lines(written, "request")[0]["status"] == 500
    assert told['dispatch_qa_requests_total{method="GET",route="page",status="500"}'] == 1


def test_a_traceback_stays_in_its_line() -> None:
    try:
        raise RuntimeError("the cause")
    except RuntimeError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "x", 1, "it broke", (), sys.exc_info())
    line = logs.JsonLines().format(record)
    assert "\n" not in line
    assert "RuntimeError: the cause" in json.loads(line)["traceback"]
