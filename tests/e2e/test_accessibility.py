"""Every page by WCAG AA, in light and dark, on desk and phone; and nothing wider than the phone."""

from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.e2e.conftest import DESK, PHONE, OpenContext
from tests.e2e.site import PROJECT, Site

pytestmark = pytest.mark.e2e
NOTHING_HERE = Path(__file__).parents[2] / "images/router/plugins-local/src/cabestan/nothinghere/page.html"
_STICKING_OUT = """() => [...document.querySelectorAll(".panel, .strip > li")].flatMap((panel) => {
  const edge = panel.getBoundingClientRect().right + 1;
  const elsewhere = ".scroll, .copy, .stack, .log, .visually-hidden, svg";
  const parts = [...panel.querySelectorAll("*")].filter((part) => !part.closest(elsewhere));
  const sticks = (part) => part.getBoundingClientRect().right > edge;
  return parts.filter(sticks).map((part) => part.outerHTML.slice(0, 120));
})"""
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
#: in the dark, colours alone are others. Of what is in order it tells but the first, which otherwise takes longer than
#: to find what is not
_RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]},
    "dark": {"runOnly": {"type": "rule", "values": _OF_COLOURS}, "resultTypes": ["violations"]},
}
#: for a page that has its half a million characters already
_AXE_IN_PLACE = Axe("null")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_can_be_used_by_everybody(open_context: OpenContext, site: Site, size: dict[str, int]) -> None:
    page = open_context(viewport=size).new_page()
    assert {path: found for path in addresses(site) if (found := _problems(page, path, size))} == {}


def test_the_login_can_be_used_by_everybody(open_context: OpenContext) -> None:
    page = open_context(user="").new_page()
    assert _problems(page, "/login", DESK) == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_routers_own_page_can_be_used_by_everybody(open_context: OpenContext, size: dict[str, int]) -> None:
    page = open_context(viewport=size).new_page()
    page.set_content(NOTHING_HERE.read_text().replace("{{address}}", f"{'name-' * 30}.localhost/{'path/' * 30}"))
    assert _looked_at(page, size) == []


def addresses(site: Site) -> list[str]:
    """Every page that there is, and an error."""
    below = (
        "",
        "/pipelines",
        f"/pipelines/{site.pipeline}",
        f"/jobs/{site.jobs['colours']}",
        f"/jobs/{site.jobs['long']}",
        "/releases",
        "/deployments",
        f"/deployments/{site.waiting}",
        f"/deployments/{site.rolled_back}",
        f"/deployments/{site.ran_once}",
        "/schedules",
        f"/schedules/{site.schedules['nightly-report']}",
        f"/runs/{site.run}",
        "/databases",
        f"/databases/{site.database}",
        "/environments",
        "/environments/production",
        "/environments/staging",
        "/environments/staging/logs",
        "/environments/staging/logs?regexp=(",
        "/routes",
        "/settings/variables",
        "/settings/variables/history?variable=GREETING",
        "/settings/certificates",
        "/settings/members",
        "/settings/waivers",
        "/settings",
        "/delete",
        "/delete?environment=staging",
    )
    group = "/groups/demo/variables"
    return [
        "/",
        "/?project=hello",
        "/groups/demo",
        "/alerts",
        "/certificates",
        "/account",
        "/groups/demo/members",
        "/users",
        "/users/rita",
        "/new",
        "/deletions",
        "/routes",
        "/routes?url=nowhere.localhost",
        group,
        f"{group}/history?variable=LEVEL",
        "/search",
        "/search?q=hello",
        "/nowhere/at-all",
        *(f"/{PROJECT}{path}" for path in below),
    ]


def test_nothing_sticks_out_of_its_panel(page: Page, site: Site) -> None:
    """Not even a name of the greatest length that there may be; what scrolls by itself is left out."""
    out = {}
    for path in addresses(site):
        page.goto(path)
        for width in (1280, 1000, 800, 360):
            page.set_viewport_size({"width": width, "height": 800})
            if found := page.evaluate(_STICKING_OUT):
                out[path, width] = found
    assert out == {}


def _problems(page: Page, path: str, size: dict[str, int]) -> list[str]:
    page.goto(path)
    page.wait_for_timeout(250)
    return _looked_at(page, size)


def _looked_at(page: Page, size: dict[str, int]) -> list[str]:
    """In light and dark: the one page, which follows what the system asks for."""
    found = []
    for axe, scheme in zip((Axe(), _AXE_IN_PLACE), _SCHEMES, strict=True):
        page.emulate_media(color_scheme=scheme)
        answer: dict[str, Any] = axe.run(page, options=_RULES[scheme]).response
        found += [
            f"{scheme}: {violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in answer["violations"]
            for node in violation["nodes"]
        ]
        width = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{scheme}: {width} pixels wide"] if width > size["width"] else []
    return found
