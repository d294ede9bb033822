from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import schemathesis
from fakes import FakeEmbedder
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import client, made_once

from dispatch_qa import Busy, DispatchQA, Settings, StoreDamaged, StoreLocked, cli, encode, qa
from dispatch_qa.web.api import told_apart

SCHEMA = json.loads(files("dispatch_qa").joinpath("data/answer.schema.json").read_text(encoding="utf-8"))
QUESTION = "fabricants britanniques Babcock International Group"


@pytest.fixture(scope="module")
def fake_store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return made_once(tmp_path_factory)


@pytest.fixture(scope="module")
def api(fake_store: Settings) -> Iterator[TestClient]:
    with client(fake_store) as opened:
        yield opened


def printed(
    store: Settings, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes], *arguments: str
) -> Any:
    """What the command line prints."""
    for module in (qa, encode):
        monkeypatch.setattr(module, "load_embedder", lambda *_: FakeEmbedder())
    cli.main([*arguments, "--json", "--index", str(store.index)])
    return json.loads(capture.readouterr().out)


def test_the_api_gives_what_the_command_line_prints(
    api: TestClient, fake_store: Settings, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def command(*arguments: str) -> Any:
        return printed(fake_store, monkeypatch, capfdbinary, *arguments)

    asked = {"question": QUESTION, "k": 2}
    assert api.post("/api/v1/ask", json=asked).json() == command("ask", QUESTION, "-k", "2")
    assert api.post("/api/v1/search", json=asked).json() == command("search", QUESTION, "-k", "2")
    assert api.get("/api/v1/show", params={"id": "dispatch.fr"}).json() == command("show", "dispatch.fr")
    told = command("info")
    assert api.get("/api/v1/info").json() == told | {"index": "store"}
    assert told["index"] == str(fake_store.index)  # which is nobody's business on the network


def test_answers_fit_the_schema_and_their_source(api: TestClient) -> None:
    answer = api.post("/api/v1/ask", json={"question": QUESTION}).json()
    jsonschema.validate(answer, SCHEMA)
    text = api.get("/api/v1/show", params={"id": "dispatch.fr"}).json()["text"]
    assert len(answer["citations"]) == 3
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({}, 422, "question: Field required"),
        ({"question": ""}, 422, "at least 1 character"),
        ({"question": " ?! "}, 422, "no word"),
        ({"question": "x" * 2001}, 422, "at most 2000"),
        ({"question": "x", "k": 0}, 422, "greater than or equal to 1"),
        ({"question": "x", "k": 101}, 422, "less than or equal to 100"),
        ({"question": "x", "k": "3"}, 422, "valid integer"),
        ({"question": "x", "k": True}, 422, "valid integer"),
        ({"question": ["x"]}, 422, "valid string"),
        ({"question": "x", "extra": 1}, 422, "Extra inputs"),
        ([], 422, "dictionary or object"),
        ("x", 422, "dictionary or object"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(api: TestClient, body: object, status: int, why: str) -> None:
    answer = api.post("/api/v1/ask", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status
    assert why in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"question": "\xff"}', 400),
        (b'{"question": "\\ud800"}', 422),
        (b'{"question": "a", "k": ' + b"9" * 5000 + b"}", 400),
        (b'{"question": NaN}', 422),
        (b"[" * 100_000, 400),
        (b'{"question":' * 20_000, 400),
    ],
)
def test_a_broken_body_is_the_senders_fault(api: TestClient, body: bytes, status: int) -> None:
    answer = api.post("/api/v1/ask", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_an_unknown_dispatch_is_not_found_and_no_folder_is_told(api: TestClient, fake_store: Settings) -> None:
    answer = api.get("/api/v1/show", params={"id": "nope"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "there is no dispatch 'nope'")
    assert str(fake_store.index.parent) not in answer.text


def test_an_unknown_address_answers_in_the_same_form(api: TestClient) -> None:
    assert api.get("/api/v1/nothing").json() == {"error": {"status": 404, "message": "Not Found"}}
    assert api.get("/api/v1/ask").status_code == 405


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Busy("too many questions at once"), "too many questions at once"),
        (StoreLocked("the store in /srv/secret is being written by process 1"), "being written just now"),
        (StoreDamaged("the store in /srv/secret is damaged"), "the server's log says why"),
    ],
)
def test_trouble_is_a_503_that_names_no_folder_and_says_when_to_come_back(
    fake_store: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    assert isinstance(error, Busy | StoreLocked | StoreDamaged)
    assert told_apart(error)[0] == 503
    with client(fake_store, workers=1) as api:
        assert api.post("/api/v1/ask", json={"question": QUESTION}).status_code == 200
        monkeypatch.setattr(DispatchQA, "ask", fail)
        answer = api.post("/api/v1/ask", json={"question": QUESTION})
    assert answer.status_code == 503
    assert words in answer.json()["error"]["message"]
    assert "/srv" not in answer.text
    assert answer.headers["retry-after"] == "1"


def test_every_schema_of_the_description_is_used_and_nothing_is_fetched_from_elsewhere(api: TestClient) -> None:
    text = api.get("/api/v1/openapi.json").text
    described = json.loads(text)
    assert set(described["paths"]) == {f"/api/v1/{name}" for name in ("ask", "search", "show", "info")}
    assert all(text.count(f'#/components/schemas/{name}"') for name in described["components"]["schemas"])
    assert "http://" not in text
    assert "https://" not in text


@pytest.fixture(scope="module")
def whole(fake_store: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server with all its routes, for every generated request."""
    with client(fake_store, feedback=tmp_path_factory.mktemp("feedback")) as opened:
        yield opened


POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        *(("POST", f"/api/v1/{name}", mode) for name in ("ask", "search", "feedback") for mode in (POSITIVE, NEGATIVE)),
        *(("GET", "/api/v1/show", mode) for mode in (POSITIVE, NEGATIVE)),
        ("GET", "/api/v1/info", POSITIVE),
    ],
)
def test_generated_requests_meet_no_server_error_and_get_what_is_described(
    whole: TestClient, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    described = schemathesis.openapi.from_dict(whole.get("/api/v1/openapi.json").json())
    statuses = []

    @settings(max_examples=75, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def try_one(case: schemathesis.Case[Any]) -> None:
        request = case.as_transport_kwargs(base_url="http://localhost:7860")
        request.pop("cookies", None)
        answer = whole.request(**request)
        statuses.append(answer.status_code)
        assert answer.status_code < 500
        case.validate_response(
            answer, checks=[content_type_conformance, response_schema_conformance, status_code_conformance]
        )

    try_one()
    assert statuses
