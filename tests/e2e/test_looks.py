"""What no rule of accessibility sees: edges that meet, text that is not cut, no second scroll bar."""

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import PHONE, OpenContext
from tests.e2e.site import PROJECT, Site

pytestmark = pytest.mark.e2e
_TOP_OF_TEXT = """(part) => {
  const range = document.createRange();
  range.selectNodeContents(part);
  return range.getBoundingClientRect().top;
}"""


def test_a_log_that_fills_the_page_leaves_it_no_second_scroll_bar(page: Page, site: Site) -> None:
    page.goto(site.job_path("long"))
    expect(page.get_by_role("button", name="Wrap long lines")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0


def test_a_log_within_a_panel_stays_within_it_on_a_phone(open_context: OpenContext, site: Site) -> None:
    page = open_context(viewport=PHONE).new_page()
    page.goto(f"/{PROJECT}/deployments/{site.ran_once}")
    panel, log = _box(page.locator("#once")), _box(page.locator("#once .log"))
    assert panel["x"] <= log["x"]
    assert log["x"] + log["width"] <= panel["x"] + panel["width"]


def test_the_search_of_a_log_keeps_its_arrows_beside_it_on_a_phone(open_context: OpenContext, site: Site) -> None:
    page = open_context(viewport=PHONE).new_page()
    page.goto(site.job_path("long"))
    search = page.get_by_role("searchbox", name="Search the log")
    assert search.evaluate("(input) => input.clientWidth") >= 150
    for arrow in ("Previous match", "Next match"):
        assert _middle(page.get_by_role("button", name=arrow)) == pytest.approx(_middle(search), abs=1)


def test_breadcrumbs_stand_on_the_line_of_the_brand(page: Page) -> None:
    page.goto(f"/{PROJECT}/pipelines")
    tops = [page.locator(part).first.evaluate(_TOP_OF_TEXT) for part in (".brand span", ".crumbs a")]
    assert tops[0] == pytest.approx(tops[1], abs=0.5)


def test_the_buttons_of_a_head_end_where_the_page_does(page: Page) -> None:
    page.goto(f"/{PROJECT}/environments/staging")
    deploy, head = _box(page.get_by_role("button", name="Deploy", exact=True)), _box(page.locator(".head"))
    assert deploy["x"] + deploy["width"] == pytest.approx(head["x"] + head["width"], abs=0.5)


def test_a_button_below_fields_is_as_wide_as_its_word(page: Page) -> None:
    for path in ("/certificates", f"/{PROJECT}/settings/certificates"):
        page.goto(path)
        assert _box(page.get_by_role("button", name="Add"))["width"] < 150


def test_a_trouble_shows_its_commands_as_code(page: Page, site: Site) -> None:
    for path in ("environments/staging", "databases", f"databases/{site.database}"):
        page.goto(f"/{PROJECT}/{path}")
        expect(page.locator("main code", has_text="cabestan doctor").first).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("`cabestan doctor`")


def test_the_example_of_a_schedule_reads_from_the_left(open_context: OpenContext) -> None:
    page = open_context(viewport=PHONE).new_page()
    page.goto(f"/{PROJECT}/schedules?environment=production")
    assert page.locator(".empty .stack").evaluate("(example) => getComputedStyle(example).textAlign") == "left"


def test_a_row_on_a_phone_says_what_each_time_and_name_is(open_context: OpenContext, site: Site) -> None:
    page = open_context(viewport=PHONE).new_page()
    for path, label in (
        ("settings/waivers", "removed by"),
        ("deployments", "by"),
        (f"schedules/{site.schedules['nightly-report']}", "why"),
    ):
        page.goto(f"/{PROJECT}/{path}")
        cell = page.locator(f"[data-label='{label}']").first
        assert label in cell.evaluate("(cell) => getComputedStyle(cell, '::before').content")


def _box(part: Locator) -> dict[str, float]:
    box = part.bounding_box()
    assert box
    return dict(box)  # type: ignore[arg-type]


def _middle(part: Locator) -> float:
    box = _box(part)
    return box["y"] + box["height"] / 2
