"""Item 13: a permalink reopens the same question and sentence; to a dispatch that is gone, it says so."""

from __future__ import annotations

from browsing import ANSWERABLE, ask, narrow, opened, served
from playwright.sync_api import Browser, Page, expect
from wire import Wire


def test_a_permalink_reopens_question_and_sentence_in_a_fresh_browser(browser: Browser, wide: Page) -> None:
    ask(wide, ANSWERABLE)
    second = wide.locator('.cite[data-number="2"]')
    link = second.get_attribute("href") or ""
    second.click()
    marked = wide.text_content("#dqa-source mark")
    with opened(browser, link) as fresh:
        expect(fresh.locator("#chat .asked")).to_have_text(ANSWERABLE)
        expect(fresh.locator("#dqa-source mark")).to_have_text(marked or "")
        expect(fresh.locator("#dqa-source mark")).to_be_in_viewport()


def test_a_permalink_narrows_the_copy_as_it_was_narrowed(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        narrow(page, "Filed since", "2025-05-01")
        ask(page, "When did the port of Odesa reopen?")
        link = page.locator(".cite").first.get_attribute("href") or ""
        assert page.url.endswith("#q=When+did+the+port+of+Odesa+reopen%3F&since=2025-05-01")
    with opened(browser, link) as fresh:
        expect(fresh.locator(".narrowed")).to_have_text("Only: since 2025-05-01")
        expect(fresh.locator("#only-since textarea")).to_have_value("2025-05-01")
        expect(fresh.locator("#dqa-source mark")).to_be_in_viewport()
        fresh.evaluate("location.hash = 'q=What+was+opened%3F&language=ar'")
        expect(fresh.locator(".turn").nth(1).locator(".narrowed")).to_have_text("Only: language ar")


def test_a_permalink_to_what_no_longer_ranks_still_stands_there(browser: Browser, wire: Wire) -> None:
    link = f"{wire.url}#q=Who+opened+the+zoo%3F&d=odesa&s=40-70"
    with opened(browser, link) as page:
        expect(page.locator("#dqa-source mark")).to_have_text("It had been closed since March")


def test_a_permalink_counts_code_points(browser: Browser, wire: Wire) -> None:
    with opened(browser, f"{wire.url}#q=Who+opened+the+zoo%3F&d=emoji&s=3-9") as page:
        expect(page.locator("#dqa-source mark")).to_have_text("Zürich")


def test_a_permalink_to_a_dispatch_that_is_gone_says_so(browser: Browser, wire: Wire) -> None:
    with opened(browser, f"{wire.url}#q=Who+spoke%3F&d=removed.fr&s=0-10") as page:
        expect(page.locator("#dqa-source [role=alert]")).to_have_text(
            "This dispatch is no longer in the store: removed.fr"
        )


def test_a_permalink_to_words_that_have_changed_says_so_and_marks_nothing(browser: Browser, wire: Wire) -> None:
    with opened(browser, f"{wire.url}#q=Who+spoke%3F&d=odesa&s=0-10&h=000000000000") as page:
        expect(page.locator("#dqa-source .alert")).to_have_text(
            "The text of this dispatch has changed since it was quoted."
        )
        expect(page.locator("#dqa-source mark")).to_have_count(0)


def test_the_address_is_the_question_s(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    assert wide.url.endswith("#q=Which+British+firms+attended%3F")


def test_a_permalink_opened_in_the_same_tab_is_followed_too(wide: Page) -> None:
    ask(wide, "Who spoke?")
    wide.evaluate("location.hash = 'q=Which+British+firms+attended%3F&d=dispatch.fr&s=0-10'")
    expect(wide.locator("#chat .asked").nth(1)).to_have_text(ANSWERABLE)
    expect(wide.locator("#dqa-source mark")).to_have_text("L'Ukraine ")


def test_no_request_carries_the_question_in_its_address(wide: Page) -> None:
    addresses: list[str] = []
    wide.on("request", lambda request: addresses.append(request.url))
    ask(wide, ANSWERABLE)
    ask(wide, "And the Americans?")
    assert addresses
    assert [one for one in addresses if "British" in one] == []


def test_a_permalink_opens_the_store_that_was_asked(browser: Browser, wire: Wire) -> None:
    with served("tests/two_stores.py", "index", str(wire.index)) as several:
        with opened(browser, f"{several.url}#q=When+did+the+port+of+Odesa+reopen%3F&in=archive") as page:
            expect(page.locator("#dqa-source mark")).to_have_text("The port of Odesa reopened on Tuesday.")
            expect(page.locator("#store input")).to_have_value("archive")
            link = page.locator(".cite").first.get_attribute("href") or ""
            page.evaluate("location.hash = 'q=Which+British+firms+attended%3F&in=index'")
            expect(page.locator("#chat .turn").nth(1)).to_contain_text("Babcock International Group et BAE Systems")
            expect(page.locator("#store input")).to_have_value("index")
            page.evaluate("location.hash = 'q=Who+is+Rustem+Umerov%3F&in=nowhere'")
            expect(page.locator("#chat .turn").nth(2)).to_contain_text("Umerov")
            expect(page.locator("#store input")).to_have_value("index")
        with opened(browser, link) as fresh:
            expect(fresh.locator("#dqa-source mark")).to_have_text("The port of Odesa reopened on Tuesday.")
