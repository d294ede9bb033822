"""Filters, what is left out, and adding copy from the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from browsing import ask, opened, served
from playwright.sync_api import Browser, Page, expect
from wire import Wire

from dispatch_qa import Settings, build


def narrow(page: Page, label: str, value: str) -> None:
    if not page.locator("#options").is_visible():
        page.click("#options-button")
    page.get_by_label(label).fill(value)


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
        ask(page, "When did the port of Odessa reopen?")
        expect(page.locator(".lead")).to_contain_text("Le port a rouvert mardi.")
