"""Item 22: copy, ids, fields and questions that would run or fetch something show as the text that they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest
from browsing import ask, opened
from playwright.sync_api import Browser, Page, expect
from wire import MARKUP, Wire

QUESTION = "Who spoke of pixels in the hostile dispatch?"
PAYLOADS = [
    "<img src=x onerror=window.pwned=1> who spoke?",
    "![who](http://192.0.2.1/q.png) [spoke](javascript:window.pwned=1)?",
    "</textarea><script>window.pwned=1</script> who spoke?",
    "${window.pwned=1} {{window.pwned=1}} who spoke?",
    '"><svg onload=window.pwned=1> who spoke?',
    '<a class="dqa-data" href="#eyJhc2tlZCI6IngifQ==">who</a> spoke?',
]


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Page]:
    """The page, from its first request on: it stays on this machine, runs nothing of the copy's, breaks no policy."""
    far: list[str] = []
    broken: list[str] = []
    with opened(browser, "about:blank#", ready=False) as page:
        page.on("request", lambda request: far.append(request.url))
        page.on("dialog", lambda dialog: far.append(dialog.message))
        page.on("console", lambda message: broken.append(message.text) if "Policy" in message.text else None)
        response = page.goto(url)
        assert response
        assert "unsafe-eval" not in response.headers["content-security-policy"]
        page.wait_for_selector("body.ready")
        yield page
        page.wait_for_timeout(300)
        # Gradio names the page's own address as its base, which the policy forbids and nothing needs.
        assert [one for one in broken if "base URI" not in one] == []
        assert {urlsplit(url).hostname or urlsplit(url).scheme for url in far} <= {"127.0.0.1", "data", "blob"}
        assert page.evaluate("window.pwned") is None


def test_a_hostile_dispatch_is_text_wherever_it_shows(browser: Browser, wire: Wire) -> None:
    with watched(browser, wire.url) as page:
        ask(page, QUESTION)
        card = page.locator(".card").filter(has_text="Hostile headline").first
        card.get_by_role("button", name="Show in the source").click()
        shown = page.locator("#dqa-source .copy").text_content() or ""
        assert "".join(shown.split()) == "".join(MARKUP.text.split())
        expect(page.locator("#dqa-source h2")).to_have_text(MARKUP.headline or "")
        for name in ("Before and after", "Why this passage?"):
            card.get_by_role("button", name=name).click()
        expect(card.locator(".why")).to_be_visible()
        page.locator(".cite").first.focus()
        expect(page.locator("#dqa-preview")).to_be_visible()
        # Gradio's own icons carry a style of theirs; nothing else may.
        assert page.locator("#desk :is(img, iframe, script, :not(defs) > style)").count() == 0


@pytest.mark.parametrize("question", PAYLOADS)
def test_a_hostile_question_is_text(browser: Browser, wire: Wire, question: str) -> None:
    with watched(browser, wire.url) as page:
        ask(page, question)
        expect(page.locator("#chat .asked")).to_have_text(question)
    with watched(browser, f"{wire.url}#q={quote(question)}") as page:
        expect(page.locator("#chat .asked")).to_have_text(question)


@pytest.mark.parametrize(
    "fragment", ["d=<img src=x onerror=window.pwned=1>&s=0-5", "d=odesa&s=-1-x&h=<b>", "%%%", "s=5-2&d="]
)
def test_a_hostile_permalink_runs_nothing(browser: Browser, wire: Wire, fragment: str) -> None:
    with watched(browser, f"{wire.url}#q=Who+spoke%3F&{fragment}") as page:
        page.wait_for_selector("#chat .turn")


def test_no_file_outside_the_page_s_own_is_served(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        for name in ("../routes.py", "..%2froutes.py", "%2e%2e/routes.py", "words.json%00", ".", "C:\\"):
            response = page.request.get(f"{wire.url}page/{name}")
            assert response.status in (400, 403, 404), name
