"""A browser and a site for the end-to-end tests."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.conftest import MakeDatabase
from tests.e2e.quiet_network import QuietNetwork, quiet_network
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
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
OpenContext = Callable[..., BrowserContext]
expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def network() -> Iterator[QuietNetwork]:
    with quiet_network() as made:
        yield made


@pytest.fixture(scope="package")
def site(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase, network: QuietNetwork
) -> Iterator[Site]:
    """For the browser, and outside for requests that a test makes itself."""
    folder = Path(tmp_path_factory.mktemp("site"))
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        with network.listener(port) as inside, running_site(folder, make_database(""), [inside, outside]) as running:
            yield running


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory, network: QuietNetwork) -> Iterator[Browser]:
    program = network.entering(_CHROMIUM, tmp_path_factory.mktemp("browser") / "chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
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
