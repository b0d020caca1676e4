"""Mails in a browser: nothing is asked from outside and nothing scrolls sideways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.send.messages import EVERY_KIND, told
from tests.send.test_messages import EXTREMES, hostile, mailed

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
MAILS = {**EXTREMES, "hostile": hostile(), "first": told()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_mail_fits_its_window_and_asks_for_nothing(browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    for name, message in MAILS.items():
        page.set_content(mailed(message).html)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name

    assert asked == []
    context.close()


def test_every_mail_has_one_heading_of_the_first_level_and_a_title(browser: Any) -> None:
    page = browser.new_page()

    for name, message in EVERY_KIND.items():
        page.set_content(mailed(message).html)
        assert page.locator("h1").count() == 1, name
        assert page.title() == mailed(message).subject, name

    page.close()
