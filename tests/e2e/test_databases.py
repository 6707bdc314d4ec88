"""What the pages of managed services show, and that what replaces data asks for the typed name."""

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import OpenContext
from tests.e2e.site import PROJECT, Site

#: docker-py leaves the socket open on which no engine answered
_LEFT_OPEN = "ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning"
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings(_LEFT_OPEN)]


def test_backups_show_whether_they_count(open_context: OpenContext, site: Site) -> None:
    page = open_context().new_page()
    page.goto(f"/{PROJECT}/databases")
    expect(page.locator("tr", has_text="production/redis").get_by_text("unused")).to_be_visible()
    page.get_by_role("link", name="production/postgresql").click()
    states = page.locator("tr[id^=backup-] .state")
    expect(states).to_have_text(["verified", "not verified", "failed"])
    expect(page.get_by_text("2 tables, 1,235 rows").first).to_be_visible()
    expect(page.get_by_text("public.items is missing")).to_be_visible()
    assert "canary-secret" not in page.content()


def test_a_restore_asks_for_the_typed_name(open_context: OpenContext, site: Site) -> None:
    page = open_context().new_page()
    page.goto(f"/{PROJECT}/databases/{site.database}")
    form = page.locator("form[action$='/restore']")
    form.get_by_label("Type production/postgresql").fill("production/mysql")
    form.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("is not the name of this database")).to_be_visible()
    page.goto(f"/{PROJECT}/databases/{site.database}")
    form.get_by_label("Type production/postgresql").fill("production/postgresql")
    form.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("restore of backup 3 by admin")).to_be_visible()
    assert site.started.workflows[-1].startswith("database database-")


def test_one_who_may_only_look_is_offered_nothing(open_context: OpenContext, site: Site) -> None:
    page = open_context(user="rita").new_page()
    page.goto(f"/{PROJECT}/databases/{site.database}")
    expect(page.get_by_role("heading", name="production/postgresql")).to_be_visible()
    assert page.locator("main form").count() == 0
