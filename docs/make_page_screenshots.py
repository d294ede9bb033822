"""Show the page as a reader sees it: `make page-screenshots` writes `docs/page-*.png` from the running app.

Uses Chromium and, where they are installed, book faces for the scripts shown (Debian: fonts-sil-charis,
fonts-noto-core, fonts-wqy-zenhei); the page itself names only faces of the reader's own system.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browsing import CHROMIUM, FLAGS, ask, opened, served
from playwright.sync_api import Browser, sync_playwright

TARGET = Path(__file__).parent
WIDE, PHONE = (1280, 860), (390, 844)
ENGLISH = "Which British firms attended?"
ARABIC = "مع من ستتعاون أوكرانيا لإنتاج قذائف عيار 155 ملم؟"
SHOTS: dict[str, tuple[str | None, tuple[int, int], bool, str]] = {
    # name: question, size, dark, locale
    "welcome": (None, WIDE, False, "en-GB"),
    "wide": (ENGLISH, WIDE, False, "en-GB"),
    "dark": (ENGLISH, WIDE, True, "en-GB"),
    "phone": (ENGLISH, PHONE, False, "en-GB"),
    "phone-source": (ENGLISH, PHONE, False, "en-GB"),
    "arabic": (ARABIC, WIDE, False, "en-GB"),
    "unsupported": ("Who won the Champions League final?", WIDE, False, "fr-FR"),
}


def shoot(browser: Browser, url: str, name: str) -> None:
    """Write one picture."""
    question, (width, height), dark, locale = SHOTS[name]
    with opened(browser, url, width=width, height=height, dark=dark, locale=locale, still=True) as page:
        page.wait_for_selector(".example")
        if question:
            ask(page, question)
        if name == "phone-source":
            page.locator(".cite").first.click()
        page.wait_for_timeout(500)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=TARGET / f"page-{name}.png")


def main() -> None:
    """Serve the shipped index and write all pictures."""
    with served() as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in SHOTS:
            shoot(browser, app.url, name)


if __name__ == "__main__":
    main()
