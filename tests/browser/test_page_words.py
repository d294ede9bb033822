"""Items 9, 10, 11, 14 and 25: refusals, languages and directions, the empty page, follow-ups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from browsing import ANSWERABLE, UNANSWERABLE, Served, ask, opened, served
from playwright.sync_api import Browser, Page, expect
from wire import Wire

from dispatch_qa import DispatchQA, Settings, build, store
from dispatch_qa.records import Dispatch


def test_an_unsupported_question_says_so_and_shows_what_is_nearest(wide: Page) -> None:
    ask(wide, UNANSWERABLE)
    expect(wide.locator(".refusal")).to_have_text("The dispatches do not say.")
    expect(wide.locator(".turn h3")).to_have_text("Nearest passages, which do not answer")
    assert wide.locator(".card").count() == 3
    wide.locator(".card").first.get_by_role("button", name="Show in the source").click()
    expect(wide.locator("#dqa-source mark")).to_be_visible()


def test_the_source_is_in_its_own_language(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    expect(wide.locator("#dqa-source .copy")).to_have_attribute("lang", "fr")
    expect(wide.locator("#dqa-source .copy")).to_have_attribute("dir", "ltr")
    expect(wide.locator(".spoken .quote").first).to_have_attribute("lang", "fr")


def test_a_source_in_arabic_runs_from_right_to_left(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        ask(page, "Where were new hospitals opened?")
        copy = page.locator("#dqa-source .copy")
        expect(copy).to_have_attribute("lang", "ar")
        expect(copy).to_have_css("direction", "rtl")
        expect(page.locator(".spoken .quote").first).to_have_css("direction", "rtl")


def test_a_french_browser_gets_a_french_page(browser: Browser, app: Served) -> None:
    with opened(browser, app.url, locale="fr-CA") as page:
        assert page.get_attribute("html", "lang") == "fr"
        expect(page.get_by_text("Essayez l’une de ces questions")).to_be_visible()
        expect(page.get_by_placeholder("Posez une question")).to_be_visible()
        expect(page.get_by_role("textbox", name="Votre question")).to_be_visible()
        ask(page, UNANSWERABLE)
        expect(page.locator(".refusal")).to_have_text("Les dépêches ne le disent pas.")


def test_any_other_browser_gets_an_english_page(browser: Browser, app: Served) -> None:
    with opened(browser, app.url, locale="de-DE") as page:
        assert page.get_attribute("html", "lang") == "en"
        expect(page.get_by_role("textbox", name="Your question")).to_be_visible()


def test_a_question_in_arabic_is_laid_out_from_right_to_left(wide: Page) -> None:
    wide.fill("#question textarea", "من هو وزير الدفاع الأوكراني؟")
    expect(wide.locator("#question textarea")).to_have_css("direction", "rtl")
    wide.keyboard.press("Enter")
    expect(wide.locator("#chat .asked")).to_have_css("direction", "rtl")
    wide.fill("#question textarea", "Who spoke?")
    expect(wide.locator("#question textarea")).to_have_css("direction", "ltr")


def test_the_empty_page_offers_questions_in_several_languages(wide: Page) -> None:
    languages = {node.get_attribute("lang") for node in wide.locator(".example").all()}
    assert languages >= {"en", "fr", "de", "uk", "ar", "zh"}
    wide.locator(".example").first.click()
    expect(wide.locator("#chat .asked")).to_have_text(ANSWERABLE)
    expect(wide.locator(".welcome")).to_be_hidden()


def test_every_example_is_answered(real: DispatchQA, wide: Page) -> None:
    for text in wide.locator(".example").all_inner_texts():
        assert real.ask(text).supported, text


def test_the_dispatch_can_be_read_in_full(wide: Page, dispatch: Dispatch) -> None:
    wide.get_by_role("button", name="Read the dispatch").click()
    shown = wide.locator("#dqa-source .copy").text_content() or ""
    assert "".join(shown.split()) == "".join(dispatch.text.split())


def test_an_empty_store_shows_the_command_that_fills_it(browser: Browser, tmp_path: Path) -> None:
    index = tmp_path / "empty store"
    build(replace(Settings.from_env(), index=index))
    manifest = store.Store(index).manifest
    store.build(index, replace(manifest, generation=""), [])
    with served(index=index) as running, opened(browser, running.url) as page:
        expect(page.locator(".welcome code")).to_have_text(f"dispatch-qa build --index '{index}' PATH…")
        assert page.locator(".example").count() == 0


def test_a_follow_up_is_read_with_what_was_asked_before(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    ask(wide, "And the Americans?")
    turn = wide.locator("#chat .turn").nth(1)
    expect(turn.locator(".asked")).to_have_text("And the Americans?")
    expect(turn.locator("p.reading q")).to_have_text("Which firms attended – the Americans?")
    # Answered or refused: no American firm attended, and what is nearest tells of the conference with the Americans.
    assert "États-Unis" in turn.inner_text()


def test_the_reader_changes_how_a_follow_up_was_read(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    ask(wide, "And the Americans?")
    turn = wide.locator("#chat .turn").nth(1)
    turn.get_by_role("button", name="Change").click()
    turn.get_by_role("textbox").fill("What will the two American firms make with Ukraine?")
    turn.get_by_role("button", name="Ask").click()
    last = wide.locator("#chat .turn").nth(2)
    expect(last.locator(".asked")).to_have_text("What will the two American firms make with Ukraine?")
    expect(last.locator(".lead")).to_contain_text("155 mm")
    expect(last.locator("p.reading")).to_have_count(0)


def test_a_follow_up_can_be_asked_on_its_own(wide: Page) -> None:
    ask(wide, ANSWERABLE)
    ask(wide, "And the Americans?")
    wide.get_by_role("button", name="Ask it on its own").click()
    last = wide.locator("#chat .turn").nth(2)
    expect(last.locator(".asked")).to_have_text("And the Americans?")
    expect(last.locator("p.reading")).to_have_count(0)
    # Only this once: the next one leans again.
    ask(wide, "And the British?")
    expect(wide.locator("#chat .turn").nth(3).locator("p.reading")).to_have_count(1)
