"""How browser tests run the real app and open its page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ANSWERABLE = "Which British firms attended?"
UNANSWERABLE = "Who won the Champions League final?"


@dataclass(frozen=True, slots=True)
class Served:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def served(
    *command: str, port: int | None = None, index: Path | None = None, feedback: Path | None = None
) -> Iterator[Served]:
    """Run an app in a process of its own until it answers; stop it at the end."""
    port = port or free_port()
    env = os.environ | {"DISPATCH_QA_PORT": str(port)}
    env |= {"DISPATCH_QA_FEEDBACK": str(feedback)} if feedback else {"DISPATCH_QA_NO_FEEDBACK": "1"}
    env |= {"DISPATCH_QA_INDEX": str(index)} if index else {}
    process = subprocess.Popen([sys.executable, *(command or ("app.py",))], cwd=ROOT, env=env)
    url = f"http://127.0.0.1:{port}/"
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            try:
                urllib.request.urlopen(url).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield Served(url, process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 860,
    dark: bool = False,
    locale: str = "en-GB",
    still: bool = False,
    ready: bool = True,
) -> Iterator[Page]:
    """A fresh browser profile at `url`; unless told otherwise, once the page is ready."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale=locale,
        reduced_motion="reduce" if still else "no-preference",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.goto(url)
    if ready:
        page.wait_for_selector("body.ready")
    yield page
    context.close()


def ask(page: Page, question: str) -> None:
    """Type a question, send it, and wait for its answer."""
    before = page.locator("#chat .turn").count()
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    page.locator("#chat .turn").nth(before).wait_for()


def narrow(page: Page, label: str, value: str) -> None:
    """Put a value into a filter of the options."""
    if not page.locator("#options").is_visible():
        page.click("#options-button")
    page.get_by_label(label).fill(value)
