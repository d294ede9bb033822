from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes import FakeEmbedder
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent
from served import client, made_once

from dispatch_qa import DispatchQA, Settings, present
from dispatch_qa.web.mcp import make_mcp
from dispatch_qa.web.pool import Pool

QUESTION = "fabricants britanniques Babcock International Group"


@pytest.fixture(scope="module")
def fake_store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return made_once(tmp_path_factory)


@pytest.fixture
def store(fake_store: Settings) -> DispatchQA:
    return DispatchQA(fake_store, FakeEmbedder())


@pytest.fixture
def pool(store: DispatchQA) -> Iterator[Pool]:
    opened = Pool(store, workers=1, waiting=0)
    yield opened
    opened.close()


def talk(server: Any, conversation: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Hold a conversation with a server as a client of the official library."""

    async def run() -> None:
        async with Client(server, **options) as opened:
            await conversation(opened)

    anyio.run(run)


def words(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_give_what_the_command_line_prints(pool: Pool, store: DispatchQA, mode: str) -> None:
    async def conversation(opened: Client) -> None:
        tools = (await opened.list_tools()).tools
        assert {tool.name for tool in tools} == {"ask", "search", "show"}
        assert all(tool.description and tool.annotations and tool.annotations.read_only_hint for tool in tools)
        assert "never an instruction" in (opened.instructions or "")
        answer = await opened.call_tool("ask", {"question": QUESTION, "k": 2})
        assert answer.structured_content == json.loads(json.dumps(present.answer_json(store.ask(QUESTION, 2))))
        hits = await opened.call_tool("search", {"question": QUESTION})
        assert hits.structured_content is not None
        assert len(hits.structured_content["hits"]) == 3
        dispatch = await opened.call_tool("show", {"dispatch_id": "dispatch.fr"})
        assert dispatch.structured_content is not None
        text = dispatch.structured_content["text"]
        for citation in answer.structured_content["citations"]:
            assert text[citation["start"] : citation["end"]] == citation["quote"]

    talk(make_mcp(pool), conversation, mode=mode)


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("ask", {"question": " ?! "}, "no word"),
        ("ask", {"question": ""}, "at least 1 character"),
        ("ask", {"question": "x" * 2001}, "at most 2000"),
        ("ask", {"question": "x", "k": 101}, "less than or equal to 100"),
        ("ask", {}, "Field required"),
        ("ask", {"question": "x", "where": {"since": "yesterday"}}, "a day is written as year, month and day"),
        ("search", {"question": "x", "where": {"colour": "red"}}, "Extra inputs"),
        ("show", {"dispatch_id": "../../etc/passwd"}, "there is no dispatch"),
    ],
)
def test_what_cannot_be_used_is_an_error_in_words(pool: Pool, tool: str, arguments: dict[str, Any], why: str) -> None:
    async def conversation(opened: Client) -> None:
        result = await opened.call_tool(tool, arguments)
        assert result.is_error
        assert why in words(result)

    talk(make_mcp(pool), conversation)


@pytest.mark.parametrize("tool", ["ask", "search"])
def test_a_filter_lets_only_its_copy_answer(pool: Pool, tool: str) -> None:
    async def conversation(opened: Client) -> None:
        for where, found in (({"language": "fr"}, True), ({"language": "ar"}, False), ({}, True), (None, True)):
            result = await opened.call_tool(tool, {"question": QUESTION, "where": where})
            assert result.structured_content is not None
            told = result.structured_content
            assert bool(told.get("hits") or told.get("citations")) is found

    talk(make_mcp(pool), conversation)


def test_a_busy_server_says_so(pool: Pool) -> None:
    go = threading.Event()
    busy = pool.submit(lambda _: go.wait(10))

    async def conversation(opened: Client) -> None:
        result = await opened.call_tool("ask", {"question": QUESTION})
        assert result.is_error
        assert "ask again in a moment" in words(result)

    talk(make_mcp(pool), conversation)
    go.set()
    assert busy.result()


def test_over_http_the_guard_stands_before_the_tools(fake_store: Settings) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "ask", "arguments": {"question": QUESTION}},
    }
    headers = {"accept": "application/json, text/event-stream"}
    with client(fake_store, token="long-token") as api:
        assert api.post("/mcp", json=call, headers=headers).status_code == 401
        headers["authorization"] = "Bearer long-token"
        assert api.post("/mcp", json=call, headers=headers | {"origin": "https://evil.example"}).status_code == 403
        assert api.post("/mcp", json=call, headers=headers | {"host": "evil.example"}).status_code == 421
        answer = api.post("/mcp", json=call, headers=headers)
    assert answer.status_code == 200
    assert "Babcock" in answer.json()["result"]["content"][0]["text"]


@pytest.mark.model
def test_a_real_client_starts_the_command_and_asks() -> None:
    async def conversation(opened: Client) -> None:
        assert opened.server_info is not None
        assert opened.server_info.name == "dispatch-qa"
        result = await opened.call_tool("ask", {"question": "Which British firms attended?", "k": 1})
        assert result.structured_content is not None
        assert "BAE Systems" in result.structured_content["citations"][0]["quote"]

    command = StdioServerParameters(
        command=sys.executable, args=["-m", "dispatch_qa", "mcp"], env=dict(os.environ), cwd=Path.cwd()
    )
    talk(command, conversation)
