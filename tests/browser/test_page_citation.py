"""Items 1 to 6 of what a reader should find: numbers, the source, the evidence, previews, cards."""

from __future__ import annotations

import re

from browsing import ANSWERABLE, UNANSWERABLE, Served, ask, opened
from playwright.sync_api import Browser, Page, expect

from dispatch_qa.records import Dispatch


def test_each_sentence_of_an_answer_carries_its_number(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    told = wide.locator(".spoken p")
    assert told.count() == 3
    assert [re.findall(r"\[(\d+)\]", text) for text in told.all_inner_texts()] == [["1"], ["2"], ["3"]]


def test_what_has_no_number_says_that_the_dispatches_do_not_say(wide: Page) -> None:
    ask(wide, UNANSWERABLE)
    assert wide.locator(".cite").count() == 0
    assert wide.inner_text(".refusal") == "The dispatches do not say."


def test_a_number_brings_the_evidence_into_view(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    for n in ("3", "1", "2"):
        wide.click(f'.cite[data-number="{n}"]')
        mark = wide.locator("#dqa-source mark")
        mark.wait_for(timeout=300)
        box, pane = mark.bounding_box(), wide.locator("#dqa-source").bounding_box()
        assert box
        assert pane
        assert pane["y"] <= box["y"]
        assert box["y"] + box["height"] <= pane["y"] + pane["height"]


def test_on_a_phone_the_source_comes_below_and_leads_back(browser: Browser, app: Served) -> None:
    with opened(browser, app.url, width=390, height=844) as page:
        ask(page, ANSWERABLE)
        page.locator('.cite[data-number="2"]').click()
        expect(page.locator("#dqa-source mark")).to_be_in_viewport(timeout=300)
        page.get_by_role("button", name="Back to [2]").click()
        expect(page.locator('.cite[data-number="2"]')).to_be_focused()
        expect(page.locator('.cite[data-number="2"]')).to_be_in_viewport()


def test_enter_on_a_number_does_what_a_click_does(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    wide.focus('.cite[data-number="2"]')
    wide.keyboard.press("Enter")
    wide.wait_for_selector("#dqa-source mark:focus", timeout=300)


def test_the_marked_text_is_the_slice_letter_for_letter(wide: Page, dispatch: Dispatch) -> None:
    ask(wide, ANSWERABLE)
    for n in ("1", "2", "3"):
        href = wide.get_attribute(f'.cite[data-number="{n}"]', "href") or ""
        found = re.search(r"s=(\d+)-(\d+)", href)
        assert found
        start, end = map(int, found.groups())
        wide.click(f'.cite[data-number="{n}"]')
        assert wide.text_content("#dqa-source mark") == dispatch.text[start:end]
    assert "".join((wide.text_content("#dqa-source .copy") or "").split()) == "".join(dispatch.text.split())
