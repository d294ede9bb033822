"""Item 24: a thumb on a passage is kept on this machine, in the layout of the judged sets."""

from __future__ import annotations

import json
from pathlib import Path

from browsing import ANSWERABLE, ask, opened, served
from playwright.sync_api import Browser, expect

from dispatch_qa.evaluate import read_folder


def test_a_thumb_becomes_a_judged_question(browser: Browser, tmp_path: Path) -> None:
    with served(feedback=tmp_path) as running, opened(browser, running.url) as page:
        ask(page, ANSWERABLE)
        first, second = page.locator(".card").nth(0), page.locator(".card").nth(1)
        told = page.locator(".spoken p .quote:not(.words)").all_inner_texts()
        first.get_by_role("button", name="This passage answers").click()
        expect(first.locator(".thanks")).to_have_text("Noted on this machine.")
        expect(first.get_by_role("button", name="This passage answers")).to_have_attribute("aria-pressed", "true")
        second.get_by_role("button", name="This passage does not answer").click()
        expect(second.locator(".thanks")).to_have_text("Noted on this machine.")
    judged = read_folder(tmp_path)
    (query,) = judged.queries
    assert query.text == ANSWERABLE
    rows = [line.split("\t") for line in (tmp_path / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    corpus = {row["_id"]: row["text"] for row in map(json.loads, (tmp_path / "corpus.jsonl").open(encoding="utf-8"))}
    assert told[0].startswith("Cette semaine")
    assert {(corpus[passage], score) for _, passage, score in rows} == {(told[0], "1"), (told[1], "0")}


def test_where_nothing_is_kept_the_thumb_says_so(browser: Browser) -> None:
    with served() as running, opened(browser, running.url) as page:
        ask(page, ANSWERABLE)
        card = page.locator(".card").first
        card.get_by_role("button", name="This passage answers").click()
        expect(card.locator(".thanks")).to_have_text("It could not be noted.")
