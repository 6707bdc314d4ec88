"""A browser and a site for the end-to-end tests."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Response, expect, sync_playwright
from tests.conftest import MakeDatabase
from tests.e2e.site import PASSWORD, Site, running_site

_CHROMIUM = os.environ.get("CABESTAN_TEST_CHROMIUM", "/usr/bin/chromium-headless-shell")
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: what is said then; the page that shows the error may still be coming up when it is tried again
_OF_THE_NETWORK = re.compile('ERR_NETWORK_CHANGED|interrupted by another navigation to "chrome-error:')
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
OpenContext = Callable[..., BrowserContext]
expect.set_options(timeout=30_000)


@pytest.fixture(autouse=True)
def _going_on_where_networks_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chromium gives up what it loads when the machine gets another network, as for each container of other tests."""
    goto = Page.goto

    def patient(page: Page, url: str, **options: object) -> Response | None:
        for _ in range(5):
            given_up: list[str] = []
            note = lambda request: given_up.append(str(request.failure))  # noqa: B023, E731
            page.on("requestfailed", note)
            try:
                answer = goto(page, url, **options)  # type: ignore[arg-type]
            except Error as error:
                if not _OF_THE_NETWORK.search(str(error)):
                    raise
                continue
            finally:
                page.remove_listener("requestfailed", note)
            if not any(_OF_THE_NETWORK.search(failure) for failure in given_up):
                return answer
        raise AssertionError(f"Networks change all the time: {url} is never loaded.")

    monkeypatch.setattr(Page, "goto", patient)


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase) -> Iterator[Site]:
    with running_site(Path(tmp_path_factory.mktemp("site")), make_database("")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def cookies(browser: Browser, site: Site) -> dict[str, list[object]]:
    """Of a login, by the user's name: signing in costs time by design."""
    kept: dict[str, list[object]] = {}
    for name in ("admin", "rita"):
        context = browser.new_context(base_url=site.url)
        page = context.new_page()
        sign_in(page, name)
        expect(page).to_have_url(f"{site.url}/")
        kept[name] = list(context.cookies())
        context.close()
    return kept


@pytest.fixture
def open_context(browser: Browser, site: Site, cookies: dict[str, list[object]]) -> Iterator[OpenContext]:
    """Contexts of a signed-in user, closed after the test; an error in a page's scripts fails the test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def make(user: str = "admin", **options: object) -> BrowserContext:
        context = browser.new_context(base_url=site.url, **{"viewport": DESK, **options})  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        if user:
            context.add_cookies(cookies[user])  # type: ignore[arg-type]
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_context: OpenContext) -> Page:
    return open_context().new_page()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("main button")
