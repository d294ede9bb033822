"""Items 18, 19, 21 and 23: the keyboard, what is focused, small screens, axe, reduced motion."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import ANSWERABLE, UNANSWERABLE, Served, ask, opened, served
from playwright.sync_api import Browser, Page, expect

STATES = {"empty": None, "answer": ANSWERABLE, "refusal": UNANSWERABLE}


def test_the_keyboard_alone_leads_from_question_to_source_and_back(wide: Page) -> None:
    wide.focus("#question textarea")
    wide.keyboard.type(ANSWERABLE)
    wide.keyboard.press("Enter")
    wide.wait_for_selector("#chat .turn")
    wide.keyboard.press("Shift+Tab")
    wide.keyboard.press("Enter")
    expect(wide.locator('.cite[data-number="1"]')).to_be_focused()
    wide.keyboard.press("Tab")
    expect(wide.locator('.cite[data-number="2"]')).to_be_focused()
    wide.keyboard.press("Enter")
    expect(wide.locator("#dqa-source mark")).to_be_focused()
    wide.keyboard.press("Escape")
    expect(wide.locator('.cite[data-number="2"]')).to_be_focused()
    wide.keyboard.press("Enter")
    wide.keyboard.press("Shift+Tab")
    expect(wide.get_by_role("button", name="Back to [2]")).to_be_focused()
    wide.keyboard.press("Enter")
    expect(wide.locator('.cite[data-number="2"]')).to_be_focused()


FOCUSED = """() => {
    const node = document.activeElement;
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    const frame = getComputedStyle(node.closest(".input-container") ?? node);
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        name: node.tagName + " " + (node.getAttribute("aria-label") ?? node.textContent).slice(0, 40),
        seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || frame.boxShadow !== "none",
        covered: !(node.contains(over) || over?.contains(node)),
    };
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_what_is_focused_is_seen_and_not_covered(browser: Browser, app: Served, width: int) -> None:
    with opened(browser, app.url, width=width, height=740) as page:
        ask(page, ANSWERABLE)
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        met = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            told = page.evaluate(FOCUSED)
            if told["name"].startswith("BODY"):
                break
            met.add(told["name"])
            assert told["seen"], told
            assert not told["covered"], told
        assert len(met) >= 10


@pytest.mark.parametrize("width", [1280, 360])
def test_targets_are_large_enough(browser: Browser, app: Served, width: int) -> None:
    with opened(browser, app.url, width=width) as page:
        small = """() => [...document.querySelectorAll("a, button, input, textarea, select")].filter((node) => {
            const box = node.getBoundingClientRect();
            return node.checkVisibility() && box.width > 1 && (box.width < 24 || box.height < 24);
        }).map((node) => node.outerHTML.slice(0, 120))"""
        assert page.evaluate(small) == []
        page.click("#options-button")
        ask(page, ANSWERABLE)
        assert page.evaluate(small) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(browser: Browser, app: Served, state: str, width: int, dark: bool) -> None:
    with opened(browser, app.url, width=width, dark=dark, still=True) as page:
        page.wait_for_selector(".example")
        page.click("#options-button")
        question = STATES[state]
        if question:
            ask(page, question)
        page.wait_for_timeout(200)
        found = Axe().run(page)
        told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]]
        assert told == []
        assert "color-contrast" in {one["id"] for one in found.response["passes"]}


@pytest.mark.parametrize("question", STATES.values(), ids=STATES)
@pytest.mark.parametrize("width", [320, 640])  # 640: a screen of 1280 at twice the size
def test_nothing_scrolls_sideways(browser: Browser, app: Served, width: int, question: str | None) -> None:
    with opened(browser, app.url, width=width, height=450) as page:
        page.click("#options-button")
        if question:
            ask(page, question)
            page.locator(".card").first.get_by_role("button", name="Before and after").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("still", [False, True])
def test_reduced_motion_is_honoured(browser: Browser, still: bool) -> None:
    with served("tests/odd_app.py", "5", "1") as slow, opened(browser, slow.url, still=still) as page:
        page.fill("#question textarea", ANSWERABLE)
        page.keyboard.press("Enter")
        page.wait_for_selector(".busy")
        running = page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
        assert (running == 0) is still


@pytest.mark.parametrize("width", [390, 1280])
def test_the_options_hide_no_more_of_the_answer_than_they_need(browser: Browser, app: Served, width: int) -> None:
    with opened(browser, app.url, width=width) as page:
        ask(page, ANSWERABLE)
        heights = "['#composer', '#options'].map((name) => document.querySelector(name).getBoundingClientRect().height)"
        folded, _ = page.evaluate(heights)
        page.click("#options-button")
        composer, options = page.evaluate(heights)
        assert 0 < options <= composer - folded + 1
        assert composer <= folded + options + 10
