"""The real app on a free port, the shipped index, the real model, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from browsing import CHROMIUM, FLAGS, Served, opened, served
from playwright.sync_api import Browser, Page, sync_playwright
from wire import DISPATCHES, Wire

from dispatch_qa import Settings, build


@pytest.fixture(scope="session")
def app() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("the page is tried in Chromium, which is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def wide(browser: Browser, app: Served) -> Iterator[Page]:
    """The page on a wide, light, English screen."""
    with opened(browser, app.url) as page:
        yield page


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """An app over a small store of made-up copy, embedded by the real model."""
    index = tmp_path_factory.mktemp("wire") / "store"
    build(replace(Settings.from_env(), index=index), dispatches=DISPATCHES)
    with served(index=index) as running:
        yield Wire(running.url, index)
