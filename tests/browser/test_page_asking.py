"""Items 15 to 17 and 20: blank questions, waiting, Stop, a server that is gone or full, what is announced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import ANSWERABLE, Served, ask, free_port, opened, served
from playwright.sync_api import Browser, Page, expect

SLOW = "tests/odd_app.py"
KEPT = "#question textarea"


@pytest.fixture(scope="module")
def slow() -> Iterator[Served]:
    """An app that takes two seconds for an answer, one at a time; one question may wait."""
    with served(SLOW, "2", "1") as running:
        yield running


@pytest.mark.parametrize("question", ["", "   ", "\u00a0"])
def test_a_blank_question_is_caught_in_place(wide: Page, question: str) -> None:
    sent: list[str] = []
    wide.on("request", lambda request: sent.append(request.url) if "gradio_api" in request.url else None)
    wide.fill(KEPT, question)
    wide.keyboard.press("Enter")
    expect(wide.get_by_role("alert")).to_have_text("Type a question first.")
    wide.click("#question .submit-button")
    expect(wide.locator(KEPT)).to_be_focused()
    wide.wait_for_timeout(300)
    assert sent == []


def test_waiting_shows_at_once(browser: Browser, slow: Served) -> None:
    with opened(browser, slow.url) as page:
        page.fill(KEPT, ANSWERABLE)
        # No time passes: it stands there when the click returns.
        assert page.evaluate(
            """() => {
                document.querySelector("#question .submit-button").click();
                return document.querySelector("#dqa-note .busy") !== null;
            }"""
        )
        expect(page.locator("#dqa-note")).to_contain_text(ANSWERABLE)
        page.wait_for_selector("#chat .turn")
        expect(page.locator("#dqa-note")).to_have_count(0)
        expect(page.locator(KEPT)).to_have_value("")


def test_stop_stops_and_keeps_the_question(browser: Browser, slow: Served) -> None:
    with opened(browser, slow.url) as page:
        page.fill(KEPT, ANSWERABLE)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#dqa-note")).to_have_text("Stopped. Your question is still in the box.")
        expect(page.locator(KEPT)).to_have_value(ANSWERABLE)
        page.wait_for_timeout(2_500)
        expect(page.locator("#chat .turn")).to_have_count(0)
        page.click("#question .submit-button")
        page.wait_for_selector("#chat .turn")


def test_a_server_that_is_gone_is_told_the_question_kept_and_tried_again(browser: Browser) -> None:
    port = free_port()
    with served(port=port) as first, opened(browser, first.url) as page:
        ask(page, ANSWERABLE)
        first.process.kill()
        first.process.wait()
        page.fill(KEPT, "Who spoke?")
        page.keyboard.press("Enter")
        expect(page.locator("#dqa-note")).to_contain_text("The server does not answer. Your question is kept.")
        expect(page.locator(KEPT)).to_have_value("Who spoke?")
        with served(port=port):
            page.get_by_role("button", name="Try again").click()
            expect(page.locator("#chat .turn .asked").nth(1)).to_have_text("Who spoke?", timeout=15_000)
            expect(page.locator("#chat .turn .asked").nth(0)).to_have_text(ANSWERABLE)


def test_a_server_that_goes_away_while_it_works_is_noticed(browser: Browser) -> None:
    port = free_port()
    with served(SLOW, "60", "1", port=port) as running, opened(browser, running.url) as page:
        page.fill(KEPT, ANSWERABLE)
        page.keyboard.press("Enter")
        page.wait_for_selector("#dqa-note .busy")
        page.wait_for_timeout(500)
        page.evaluate("document.body.dataset.old = 'yes'")
        running.process.kill()
        expect(page.locator("#dqa-note")).to_contain_text("The server does not answer", timeout=10_000)
        # Gradio reloads the page when the server is back; the question is still there.
        with served(port=port):
            expect(page.locator("body.ready:not([data-old])")).to_have_count(1, timeout=60_000)
            page.get_by_role("button", name="Try again").click()
            expect(page.locator("#chat .asked")).to_have_text(ANSWERABLE)


def test_a_full_queue_is_told_in_friendly_words(browser: Browser, slow: Served) -> None:
    with opened(browser, slow.url) as one, opened(browser, slow.url) as two, opened(browser, slow.url) as three:
        for page in (one, two, three):
            page.fill(KEPT, ANSWERABLE)
            page.keyboard.press("Enter")
            page.wait_for_timeout(200)
        expect(three.locator("#dqa-note")).to_contain_text("Many people are asking just now")
        expect(three.locator(KEPT)).to_have_value(ANSWERABLE)
        one.wait_for_selector("#chat .turn")
        two.wait_for_selector("#chat .turn")
        three.get_by_role("button", name="Try again").click()
        three.wait_for_selector("#chat .turn")


def test_an_answer_is_announced_once_and_politely(wide: Page) -> None:
    # Every live region of the page, Gradio's too, but for the hidden ones that never speak.
    wide.evaluate(
        """() => {
            window.heard = [];
            new MutationObserver((changes) => {
                for (const { target } of changes) {
                    const node = target.nodeType === 1 ? target : target.parentElement;
                    const region = node?.closest("[aria-live], [role=status], [role=alert], [role=log]");
                    if (!region || region.getAttribute("aria-live") === "off" || !region.textContent.trim()) continue;
                    window.heard.push([region.getAttribute("aria-live") ?? region.role, region.textContent.trim()]);
                }
            }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    ask(wide, ANSWERABLE)
    wide.wait_for_timeout(500)
    assert wide.evaluate("window.heard") == [["polite", "Answered with 3 passages."]]
