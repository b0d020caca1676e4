"""The pages in a browser: axe-core finds nothing, nothing outside is asked, nothing scrolls sideways."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.serve.installation import Installation, Reader
from tests.serve.people import PASSWORD, add_user, cheap_hashes
from tests.serve.test_alerts_pages import material, token

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = "axe-core@4.14.1"
PATHS = (
    "/",
    "/?q=nobody",
    "/vendors/alibaba/qwen",
    "/vendors/alibaba",
    "/events",
    "/sources",
    "/methodology",
    "/docs",
    "/vendors/nobody",
    "/alerts?strips=1",
    "/alerts?severity=critical",
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of axe-core as npm gives it."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("there is no npm")
    packed = subprocess.run(
        [npm, "pack", "--silent", AXE], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    if packed.returncode:
        pytest.skip("npm gives no axe-core")
    with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def address(installation: Installation) -> Iterator[str]:
    with served(installation.flask(anonymous_read=True, anonymous_per_minute=1_000_000)) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


def faults(page: Any, axe: str, width: int) -> list[tuple[str, str]]:
    """Return what axe-core says of the page that is open, with all folds open."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    page.evaluate(axe)
    # all rules run; the megabytes that tell of each node that passed stay in the browser
    violations = page.evaluate("axe.run({resultTypes: ['violations']}).then(told => told.violations)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in violations]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_stays_at_home(
    browser: Any, address: str, axe: str, installation: Installation, width: int, scheme: str
) -> None:
    reader = Reader(installation.flask().test_client(), installation.keys["read"])
    event = reader.json("/v1/vendors/alibaba/lines/qwen/explain")["contributions"][0]["event"]
    page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content" in message.text else None)

    found = {}
    incident = reader.json("/v1/incidents?rule=event-material")["items"][0]["id"]
    link = f"/a/{token(installation.app, 'silence', incident)}"
    incidents = f"/incidents/{incident}"
    for path in (*PATHS, f"/events/{event}", f"/vendors/alibaba/qwen?without={event}", incidents, link):
        page.goto(address + path)
        found[path] = faults(page, axe, width)
    page.close()

    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert [url for url in asked if not url.startswith(address)] == []
    assert refused == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800, 390])
def test_the_way_in_and_what_people_see_there_are_accessible(
    browser: Any, axe: str, own_installation: Installation, width: int, scheme: str
) -> None:
    name = "annabella.von.und-zu-einem-langen-namen+risk@procurement.example"
    add_user(own_installation.app, name, "review", is_one_time=True)
    page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    found = {}

    def follow(button: str) -> None:
        with page.expect_navigation():  # a click alone waits for the answer's first byte, not for its page
            page.click(button)

    def filled(step: str, **fields: str) -> None:
        found[step] = faults(page, axe, width)
        for id_, text in fields.items():
            page.fill(f"#{id_}", text)
        follow("main button.main")

    with cheap_hashes(), served(own_installation.flask()) as address:
        incident = f"{address}/incidents/{material(own_installation.app).id}"
        page.goto(incident)
        filled("log-in", name=name, password="wrong")
        filled("wrong", name=name, password=PASSWORD)
        filled("one-time", present=PASSWORD, new="short", again="short")
        filled("too short", present=PASSWORD, new="another long sentence", again="another long sentence")
        assert page.url == incident
        found["incident"] = faults(page, axe, width)
        follow("text=Acknowledge >> nth=-1")
        assert page.url == incident
        follow(".me button")
        assert page.url == f"{address}/login"
        page.close()

    assert {step: wrong for step, wrong in found.items() if wrong} == {}
