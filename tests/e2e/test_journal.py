"""Logs of applications in a browser: live, unfolded, from a line to its surroundings."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.e2e import journal
from tests.e2e.site import PROJECT, Site

from cabestan.store import environments

pytestmark = pytest.mark.e2e
AT = f"/{PROJECT}/environments/staging/logs"


def _staging(site: Site) -> int:
    with site.services.database.reading() as tx:
        return environments.get(tx, site.project.id, "staging").id


def test_what_is_said_comes_and_who_reads_above_is_not_moved(page: Page, site: Site) -> None:
    page.goto(AT)
    expect(page.locator("[data-said-state]")).to_have_text("Live")
    journal.said_now(site.services, _staging(site), "hello <b>there</b>")
    expect(page.locator(".said").last).to_contain_text("hello <b>there</b>")
    expect(page.locator(".said").last).to_be_in_viewport()
    page.locator(".said-view").evaluate("(view) => { view.scrollTop = 0; }")
    journal.said_now(site.services, _staging(site), "and again")
    page.get_by_role("button", name="Jump to the newest").click()
    expect(page.locator(".said").last).to_contain_text("and again")
    expect(page.locator(".said").last).to_be_in_viewport()


def test_what_was_said_while_it_was_paused_comes_after_it(page: Page, site: Site) -> None:
    page.goto(AT)
    pause = page.get_by_role("button", name="Pause")
    pause.press("Enter")
    expect(page.locator("[data-said-state]")).to_have_text("Paused")
    journal.said_now(site.services, _staging(site), "while it was paused")
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.locator(".said", has_text="while it was paused")).to_have_count(1)


def test_a_line_in_json_unfolds_by_key_and_leads_to_others_with_its_value(page: Page) -> None:
    page.goto(AT)
    summary = page.locator("summary", has_text="Order paid")
    summary.focus()
    summary.press("Enter")
    page.get_by_role("link", name="Only lines with order.id=4711").click()
    expect(page.locator(".said")).to_have_count(1)
    expect(page.locator(".chip", has_text="order.id=4711")).to_be_visible()


def test_from_what_was_found_one_comes_to_what_was_said_around_it(page: Page) -> None:
    page.goto(f"{AT}?regexp=Traceback")
    expect(page.locator(".said")).to_have_count(1)
    page.locator(".said-time").click()
    expect(page).to_have_url(re.compile(r"at=\d+#l-\d+$"))
    expect(page.locator(".said.selected")).to_contain_text("Traceback")
    expect(page.locator(".said.selected")).to_be_in_viewport()
    assert page.locator(".said").count() > 50
