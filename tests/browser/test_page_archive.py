"""Filters, what is left out, whose talk is whose, and adding copy from the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import Served, ask, narrow, opened, served
from playwright.sync_api import Browser, Page, expect
from wire import ODESA, Wire

from dispatch_qa import Settings, build
from dispatch_qa.evaluate import read_folder
from dispatch_qa.records import Dispatch

PORT = (
    "The port of Odesa reopened on Tuesday after the navy had cleared the last of the mines that had kept it "
    "closed since March, the governor of the region told reporters."
)
DESK = (
    Dispatch("afp-1", PORT, "en", headline="Odesa port reopens", agency="AFP", filed_at="2025-05-03T09:00:00+00:00"),
    Dispatch("local-7", f"{PORT}\n\nShips waited for weeks.", "en", headline="Port open again", agency="Local"),
    replace(ODESA, id="ap-9", text="The port of Odesa reopened on Monday.", slug=None, agency="AP", status="withheld"),
    Dispatch("report", "Annex.\n\nThe ferry to Lomaria sails at noon.", "en", headline="Timetable", pages=(0, 8)),
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where thumbs are kept."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Iterator[Served]:
    """An app over one story, its pick-up elsewhere, and a take of it that may not be quoted."""
    index = tmp_path_factory.mktemp("desk") / "store"
    build(replace(Settings.from_env(), index=index), dispatches=DESK)
    with served(index=index, feedback=kept) as running:
        yield running


def test_the_card_of_a_paged_format_names_the_page(browser: Browser, desk: Served) -> None:
    with opened(browser, desk.url) as page:
        ask(page, "When does the ferry to Lomaria sail?")
        card = page.locator(".card").first
        expect(card.locator("h4")).to_have_text("Timetable")
        expect(card.locator(".facts").first).to_contain_text("page 2, paragraph 2")


def test_a_filter_lets_only_its_copy_answer_and_the_page_says_so(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        narrow(page, "Language", "ar")
        ask(page, "What was opened?")
        expect(page.locator(".narrowed")).to_have_text("Only: language ar")
        assert {card.get_attribute("lang") for card in page.locator(".card h4").all()} == {"ar"}
        narrow(page, "Language", "")
        narrow(page, "Filed since", "2025-05-01")
        ask(page, "What was opened?")
        expect(page.locator(".turn").nth(1).locator(".narrowed")).to_have_text("Only: since 2025-05-01")
        assert page.locator(".turn").nth(1).locator(".card h4").all_inner_texts()[0] == "Odesa port reopens"


def test_a_day_that_is_none_is_told(browser: Browser, wire: Wire) -> None:
    with opened(browser, wire.url) as page:
        narrow(page, "Filed since", "yesterday")
        ask(page, "What was opened?")
        expect(page.locator("#chat .alert")).to_have_text("a day is written as year, month and day, as in 2025-01-12")
        expect(page.locator("#question textarea")).to_have_value("What was opened?")


def test_nothing_can_be_added_unless_allowed(wide: Page) -> None:
    wide.wait_for_selector(".example")
    expect(wide.get_by_role("button", name="Add dispatches")).to_have_count(0)
    assert wide.request.post(wide.url + "api/v1/add?name=a.txt", data=b"x").status == 404


def test_files_are_added_and_each_one_s_result_is_shown(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wire").mkdir()
    good, bad = tmp_path / "wire" / "odessa.txt", tmp_path / "wire" / "broken.pdf"
    good.write_text("ODESSA, 3 mai (AFP) - Le port a rouvert mardi.\n\nIl était fermé depuis mars.\n", encoding="utf-8")
    bad.write_bytes(b"%PDF-1.7 nothing more")
    monkeypatch.setenv("DISPATCH_QA_ALLOW_ADD", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    index = tmp_path / "store"
    build(replace(Settings.from_env(), index=index))
    with served(index=index) as running, opened(browser, running.url) as page:
        expect(page.locator(".adding button")).to_have_text("Add dispatches")
        page.set_input_files("#dqa-files", [good, bad])
        lines = page.locator(".added li")
        expect(lines.nth(0)).to_have_text("odessa.txt: added", timeout=30_000)
        expect(lines.nth(1)).to_contain_text("broken.pdf", timeout=30_000)
        expect(lines.nth(1)).to_have_class("refused")
        assert str(tmp_path) not in lines.nth(1).inner_text()
        page.set_input_files("#dqa-files", [good])
        expect(lines.nth(2)).to_contain_text("unchanged", timeout=30_000)
        ask(page, "¿Cuándo reabrió el puerto de Odesa?")
        expect(page.locator(".lead")).to_contain_text("Le port a rouvert mardi.")


def test_what_may_not_be_quoted_is_named_and_who_else_carried_it_too(browser: Browser, desk: Served) -> None:
    with opened(browser, desk.url) as page:
        ask(page, "When did the port of Odesa reopen?")
        expect(page.locator(".left-out")).to_have_text(
            "Left out, because it may not be quoted: ap-9 (held by the wire while it is checked)"
        )
        expect(page.locator(".card").first).to_contain_text("Also carried by: local-7")
        assert "Monday" not in page.inner_text("#chat")
        page.get_by_role("button", name="local-7").click()
        expect(page.locator("#dqa-source h2")).to_have_text("Port open again")
    with opened(browser, desk.url, locale="fr-FR") as page:
        ask(page, "When did the port of Odesa reopen?")
        expect(page.locator(".left-out")).to_have_text(
            "Écartée, car elle ne peut être citée : ap-9 (suspendue par l’agence, qui la vérifie)"
        )


def test_why_and_thumbs_hold_under_a_filter(browser: Browser, desk: Served, kept: Path) -> None:
    with opened(browser, desk.url) as page:
        narrow(page, "Agency", "local")
        ask(page, "What waited for weeks?")
        card = page.locator(".card").first
        card.get_by_role("button", name="Why this passage?").click()
        expect(card.locator(".why")).to_contain_text("It ranks 1")
        card.get_by_role("button", name="This passage answers").click()
        expect(card.locator(".thanks")).to_have_text("Noted on this machine.")
    assert [query.text for query in read_folder(kept).queries] == ["What waited for weeks?"]


def test_words_in_quotes_that_stand_nowhere_are_named(browser: Browser, desk: Served) -> None:
    with opened(browser, desk.url) as page:
        ask(page, 'When did the port of "Mariupol" reopen?')
        expect(page.locator(".refusal")).to_have_text("The dispatches do not say.")
        expect(page.locator(".turn .note")).to_have_text('No passage holds "Mariupol", which you put in quotes.')
    with opened(browser, desk.url, locale="fr-FR") as page:
        ask(page, 'When did the port of "Mariupol" and "Berdiansk" reopen?')
        expect(page.locator(".turn .note")).to_have_text(
            'Aucun passage ne contient "Mariupol" et "Berdiansk", entre guillemets dans votre question.'
        )


def test_one_reader_sees_nothing_of_another_s_talk(browser: Browser, desk: Served) -> None:
    with opened(browser, desk.url) as one, opened(browser, desk.url) as two:
        ask(one, "When did the port of Odesa reopen?")
        two.wait_for_timeout(500)
        expect(two.locator("#chat .turn")).to_have_count(0)
        # What one asked is not what the other's follow-up leans on.
        ask(two, "And on Monday?")
        expect(two.locator("#chat .asked")).to_have_text("And on Monday?")
        expect(two.locator("p.reading")).to_have_count(0)
        expect(one.locator("#chat .turn")).to_have_count(1)
        two.reload()
        two.wait_for_selector("body.ready")
        two.wait_for_selector("#chat .turn")
        assert "When did" not in two.inner_text("#chat")


def test_a_dispatch_that_is_replaced_is_marked_in_its_new_text_and_the_old_one_said_to_be_gone(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCH_QA_ALLOW_ADD", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    index = tmp_path / "store"
    build(replace(Settings.from_env(), index=index), dispatches=[ODESA])
    with served(index=index) as running, opened(browser, running.url) as page:

        def send(text: str) -> None:
            assert page.request.post(f"{running.url}api/v1/add?name=izmail.txt", data=text.encode()).ok

        send("The port of Izmail reopened on Friday.\n")
        ask(page, "When did the port of Izmail reopen?")
        page.locator(".cite").first.click()
        expect(page.locator("#dqa-source mark")).to_have_text("The port of Izmail reopened on Friday.")
        send("This replaces what was sent before.\n\nThe port of Izmail reopened on Saturday.\n")
        ask(page, "When did the port of Izmail reopen?")
        page.locator(".turn").nth(1).locator(".cite").first.click()
        expect(page.locator("#dqa-source mark")).to_have_text("The port of Izmail reopened on Saturday.")
        page.locator(".turn").nth(0).locator(".cite").first.click()
        expect(page.locator("#dqa-source .alert")).to_have_text(
            "The text of this dispatch has changed since it was quoted."
        )
        expect(page.locator("#dqa-source mark")).to_have_count(0)
