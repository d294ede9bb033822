from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
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
from wire import CAIRO, ODESA

from dispatch_qa import Busy, DispatchQA, Settings, StoreDamaged, StoreLocked, build, cli, encode, qa
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
        ({"question": "x", "where": {"since": "yesterday"}}, 422, "a day is written as year, month and day"),
        ({"question": "x", "where": {"until": "2025-02-30"}}, 422, "a day is written as year, month and day"),
        ({"question": "x", "where": {"colour": "red"}}, 422, "where.colour: Extra inputs"),
        ({"question": "x", "where": {"since": 2025}}, 422, "where.since: Input should be a valid string"),
        ({"question": "x", "where": "fr"}, 422, "where: Input should be a valid dictionary"),
        ({"question": "x", "where": {"slug": "x" * 1001}}, 422, "at most 1000"),
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


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server over copy of several languages, agencies and days; one dispatch may not be quoted."""
    store = replace(Settings.from_env(), index=tmp_path_factory.mktemp("wire") / "store")
    held = replace(ODESA, id="held", text="The port of Odesa is mined.", slug="HELD", status="withheld")
    build(store, dispatches=[replace(ODESA, source="/srv/wire/2025/odesa.txt"), CAIRO, held], embedder=FakeEmbedder())
    with client(store) as opened:
        yield opened


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (None, {"odesa", "cairo"}),
        ({}, {"odesa", "cairo"}),
        ({"language": " ", "slug": None}, {"odesa", "cairo"}),
        ({"since": "2025-05-03"}, {"odesa"}),
        ({"until": "2025-05-02"}, {"cairo"}),
        ({"since": "2025-05-01", "until": "2025-05-02"}, set()),
        ({"language": "ar"}, {"cairo"}),
        ({"agency": "afp"}, {"odesa"}),
        ({"slug": "ukraine-port"}, {"odesa"}),
        ({"status": "corrected"}, set()),
        ({"folder": "wire/2025"}, {"odesa"}),
        ({"folder": "wire/2025", "language": "ar"}, set()),
    ],
)
@pytest.mark.parametrize("path", ["ask", "search"])
def test_a_filter_lets_only_its_copy_answer(wire: TestClient, path: str, where: object, ids: set[str]) -> None:
    answer = wire.post(f"/api/v1/{path}", json={"question": "port of Odesa", "k": 10, "where": where})
    assert answer.status_code == 200
    told = answer.json()
    assert {one["dispatch_id"] for name in ("citations", "nearest", "hits") for one in told.get(name, [])} == ids


def closed(schema: Any) -> Any:
    """A schema in which every object has the named fields, all of them, and no other."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    if isinstance(fields := schema.get("properties"), dict):
        inner |= {"required": list(fields), "additionalProperties": False}
    return inner


@pytest.mark.parametrize(
    ("path", "model"), [("ask", "AnswerBody"), ("search", "SearchBody"), ("show", "DispatchBody"), ("info", "InfoBody")]
)
def test_each_field_that_is_given_is_described_and_the_other_way_round(wire: TestClient, path: str, model: str) -> None:
    schemas = closed(wire.get("/api/v1/openapi.json").json()["components"]["schemas"])
    asked = {"question": "port of Odesa mined", "k": 10}
    if path in ("ask", "search"):
        told = wire.post(f"/api/v1/{path}", json=asked).json()
    else:
        told = wire.get(f"/api/v1/{path}", params={"id": "odesa"} if path == "show" else {}).json()
    if path == "ask":
        assert told["left_out"] == [
            {"dispatch_id": "held", "kind": "held", "reason": "held by the wire while it is checked"}
        ]
    jsonschema.validate(told, {"$ref": f"#/components/schemas/{model}", "components": {"schemas": schemas}})


def test_of_a_file_only_the_name_is_told(wire: TestClient) -> None:
    answer = wire.get("/api/v1/show", params={"id": "odesa"})
    assert answer.json()["source"] == "odesa.txt"
    assert "/srv" not in answer.text


def test_files_are_taken_only_where_that_is_allowed(api: TestClient) -> None:
    answer = api.post("/api/v1/add", params={"name": "port.txt"}, content=b"The port reopened on Tuesday.\n")
    assert answer.status_code == 404
    assert "--allow-add" in answer.json()["error"]["message"]
    assert "/api/v1/add" not in api.get("/api/v1/openapi.json").json()["paths"]


@pytest.fixture
def adding(fake_store_of_its_own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with client(fake_store_of_its_own, allow_add=True) as opened:
        yield opened


@pytest.fixture
def fake_store_of_its_own(tmp_path: Path) -> Settings:
    store = replace(Settings.from_env(), index=tmp_path / "store")
    build(store, embedder=FakeEmbedder())
    return store


def test_a_file_that_is_sent_answers_at_once(adding: TestClient) -> None:
    def send(text: bytes, kind: str = "application/octet-stream") -> Any:
        headers = {"content-type": kind}
        return adding.post("/api/v1/add", params={"name": "port.txt"}, content=text, headers=headers).json()

    assert send(b"The port of Izmail reopened.\n") == {"name": "port.txt", "outcome": "added", "ids": ["port"]}
    answer = adding.post("/api/v1/ask", json={"question": "port of Izmail reopened"}).json()
    assert answer["citations"][0]["quote"] == "The port of Izmail reopened."
    # Whatever the sender takes it for.
    assert send(b"The port of Izmail reopened.\n", "text/plain")["outcome"] == "unchanged"
    assert send(b"The port of Izmail closed.\n", "application/json")["outcome"] == "replaced"
    assert "/api/v1/add" in adding.get("/api/v1/openapi.json").json()["paths"]


def test_copy_in_json_may_speak_of_paths_and_be_larger_than_a_question(adding: TestClient) -> None:
    text = "The port of Izmail reopened. " * 100
    item = {"uri": "urn:x", "type": "text", "language": "en", "body_text": text, "path": "/x", "headline": "x" * 10}
    body = json.dumps(item).encode() + b" " * (1 << 20)
    answer = adding.post("/api/v1/add", params={"name": "port.json"}, content=body)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "added")
    assert adding.post("/api/v1/ask", content=body).status_code == 413


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("../up.txt", b"The port reopened.", "rename it"),
        ("broken.pdf", b"%PDF-1.7 nothing more", "broken.pdf"),
        ("empty.txt", b"", "empty.txt"),
        ("", b"The port reopened.", "at least 1 character"),
    ],
)
def test_a_file_of_no_use_is_refused_with_the_reason(
    adding: TestClient, tmp_path: Path, name: str, body: bytes, why: str
) -> None:
    answer = adding.post("/api/v1/add", params={"name": name}, content=body)
    assert answer.status_code == 422
    assert why in answer.json()["error"]["message"]
    assert str(tmp_path) not in answer.text


def test_another_site_s_page_cannot_add(adding: TestClient) -> None:
    headers = {"origin": "https://evil.example", "content-type": "text/plain"}
    answer = adding.post("/api/v1/add", params={"name": "port.txt"}, content=b"The port reopened.", headers=headers)
    assert answer.status_code == 403


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
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server with all its routes, for every generated request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        store = made_once(tmp_path_factory)
        with client(store, feedback=tmp_path_factory.mktemp("feedback"), allow_add=True) as opened:
            yield opened


POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        *(
            ("POST", f"/api/v1/{name}", mode)
            for name in ("ask", "search", "feedback", "add")
            for mode in (POSITIVE, NEGATIVE)
        ),
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
