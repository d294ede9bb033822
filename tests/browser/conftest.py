"""The real app on a free port, the shipped index, the real model, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import CHROMIUM, FLAGS, Served, opened, served
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="session")
def app() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def wide(browser: Browser, app: Served) -> Iterator[Page]:
    """The page on a wide, light, English screen."""
    with opened(browser, app.url) as page:
        yield page
