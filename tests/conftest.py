"""Fixtures that several test modules share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEmbedder

from dispatch_qa import DispatchQA, Settings, build
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.records import Dispatch

# A shell's background jobs ignore Ctrl-C, and so would the processes in which it is tried.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture(scope="session")
def dispatch() -> Dispatch:
    """The dispatch that ships with the package."""
    return shipped_dispatch()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose store is an empty place."""
    return replace(Settings.from_env(), index=tmp_path / "store")


@pytest.fixture
def fake_store(settings: Settings, embedder: FakeEmbedder) -> Settings:
    """Settings whose store holds the shipped dispatch, embedded by the fake."""
    build(settings, embedder=embedder)
    return settings


@pytest.fixture(scope="session")
def real() -> Iterator[DispatchQA]:
    """The shipped index, asked with the real default model, which is loaded once for all tests."""
    opened = DispatchQA(Settings())
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: its event loop runs on until all is done, and others start one of their own."""
    items.sort(key=lambda item: "browser" in item.path.parts)
