"""Items 4 to 8 and 12: previews, cards, what stands around a passage, why it was found, copying."""

from __future__ import annotations

import re

import pytest
from browsing import ANSWERABLE, ask, opened
from playwright.sync_api import Browser, Page, expect
from wire import Wire

from dispatch_qa.records import Dispatch

LIT = re.compile(r"\blit\b")


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_a_number_previews_what_it_leads_to(browser: Browser, wire: Wire, way: str) -> None:
    with opened(browser, wire.url) as page:
        ask(page, "When did the port of Odesa reopen?")
        getattr(page.locator(".cite").first, way)()
        preview = page.locator("#dqa-preview")
        expect(preview).to_contain_text("Odesa port reopens")
        expect(preview).to_contain_text("3 May 2025")
        expect(preview.locator(".quote")).to_have_text("The port of Odesa reopened on Tuesday.")
        page.keyboard.press("Escape")
        expect(preview).to_have_count(0)


def test_a_card_tells_whose_copy_it_is_and_how_well_it_fits(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        ask(page, "When did the port of Odesa reopen?")
        card = page.locator(".card").first
        for told in ("Odesa port reopens", "AFP", "3 May 2025", "English"):
            expect(card).to_contain_text(told)
        assert re.search(r"((very )?likely answers|may answer) \((0\.\d\d|1\.00)\)", card.inner_text())


def test_there_is_one_card_for_each_number(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    assert wide.locator(".card").count() == wide.locator(".cite").count() == 3


def test_card_and_number_light_each_other_up(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    wide.hover('.card[data-number="2"] h4')
    expect(wide.locator('.cite[data-number="2"]')).to_have_class(LIT)
    wide.hover('.cite[data-number="1"]')
    expect(wide.locator('.card[data-number="1"]')).to_have_class(LIT)
    expect(wide.locator('.card[data-number="2"]')).not_to_have_class(LIT)
    wide.focus('.cite[data-number="3"]')
    expect(wide.locator('.card[data-number="3"]')).to_have_class(LIT)


def test_the_sentences_before_and_after_open_in_place(wide: Page, dispatch: Dispatch) -> None:
    ask(wide, ANSWERABLE)
    button = wide.locator(".card").first.get_by_role("button", name="Before and after")
    button.click()
    around = wide.locator(".card").first.locator(".around")
    text = around.text_content() or ""
    assert text in dispatch.text
    inside = around.locator(".passage").text_content() or ""
    before, _, after = text.partition(inside)
    assert before.strip()
    assert after.strip()
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(around).to_have_count(0)


def test_why_this_passage_tells_the_parts_of_its_score(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    card = wide.locator(".card").first
    shown = re.search(r"\((0\.\d\d)\)", card.inner_text())
    card.get_by_role("button", name="Why this passage?").click()
    told = card.locator(".why").inner_text()
    assert shown
    assert shown[1] in told
    assert len(re.findall(r"0\.\d\d", told)) == 4
    assert "question's words" in told


def test_a_citation_is_copied_with_all_that_a_checker_needs(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        ask(page, "When did the port of Odesa reopen?")
        page.locator(".card").first.get_by_role("button", name="Copy citation").click()
        page.get_by_role("button", name="Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
    quote, told, link = copied.split("\n")
    assert quote == "“The port of Odesa reopened on Tuesday.”"
    assert "Odesa port reopens, AFP, 2025-05-03T09:00:00+00:00" in told
    assert re.search(r"paragraph 1, characters 0–38", told)
    assert link.startswith(wire.url)
    assert "&d=odesa&s=0-38&h=" in link
