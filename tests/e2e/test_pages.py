"""What people do on the pages, in a real browser."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from tests.e2e.conftest import OpenContext, sign_in
from tests.e2e.site import PROJECT, Site
from tests.samples import set_status
from tests.store.rows import make_deployment, make_project, make_release

from cabestan.domain.observed import Condition, Seen
from cabestan.domain.outbox import Subject
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine.variables import secrets
from cabestan.store import environments, observations
from cabestan.store import users as user_store
from cabestan.store import variables as configuration_store
from cabestan.store.schema import projects
from cabestan.web import live

pytestmark = pytest.mark.e2e


def test_a_page_asks_for_the_login_and_comes_back(open_context: OpenContext) -> None:
    page = open_context(user="").new_page()
    page.goto(f"/{PROJECT}/pipelines")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", "correct horse")
    page.click("main button")
    expect(page).to_have_url(re.compile(f"/{PROJECT}/pipelines$"))


def test_a_wrong_password_is_told_and_another_site_is_never_gone_to(open_context: OpenContext, site: Site) -> None:
    page = open_context(user="").new_page()
    sign_in(page, "admin", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    page.goto("/login?next=//example.org/")
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", "correct horse")
    page.click("main button")
    expect(page).to_have_url(f"{site.url}/")


def test_a_page_whose_login_has_ended_says_so(
    open_context: OpenContext, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RIGHTS_SECONDS", 0.5)
    page = open_context(user="").new_page()
    sign_in(page, "rita")
    page.goto(f"/{PROJECT}")
    (session,) = page.context.cookies()
    with site.services.database.writing() as tx:
        user_store.drop_token(tx, session["value"])
    expect(page.get_by_role("status")).to_have_text("You are signed out. Reload to sign in again.")


def test_home_shows_what_runs_where_and_what_waits_for_whom(page: Page, site: Site) -> None:
    page.goto("/")
    row = page.locator("#row-demo-hello")
    expect(row.locator("[data-label=staging]")).to_contain_text("serving")
    expect(row.locator("[data-label=staging]")).to_contain_text("rolled back")
    production = row.locator("[data-label=production]")
    expect(production).to_contain_text("release 1")
    expect(production).to_contain_text("for a maintainer")
    production.get_by_role("link", name="release 2").click()
    expect(page).to_have_url(re.compile(f"/deployments/{site.waiting}$"))


def test_somebody_without_projects_is_told_what_to_do(open_context: OpenContext) -> None:
    page = open_context(user="").new_page()
    sign_in(page, "frank")
    expect(page.locator("main")).to_contain_text("No project yet")
    assert page.request.get(f"/{PROJECT}").status == 404


def test_a_reader_sees_no_forms(open_context: OpenContext, site: Site) -> None:
    page = open_context("rita").new_page()
    for path in ("", "/pipelines", f"/deployments/{site.waiting}", "/environments/production", "/settings/variables"):
        page.goto(f"/{PROJECT}{path}")
        expect(page.locator("main form")).to_have_count(0)


def test_a_page_changes_without_a_reload_and_keeps_what_was_opened(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/pipelines/{site.pipeline}")
    job = page.locator(f"#job-{site.jobs['live']}")
    expect(job).to_contain_text("running")
    page.evaluate("document.querySelector('main h1').mine = true")
    try:
        _set_job(site, RunStatus.FAILED)
        expect(job).to_contain_text("failed")
        assert page.evaluate("document.querySelector('main h1').mine")
    finally:
        _set_job(site, RunStatus.RUNNING)


def test_text_being_typed_survives_a_change(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/deployments/{site.waiting}")
    page.locator("#stack summary").click()
    page.fill("#comment", "half a sen")
    with page.expect_response(lambda answer: answer.url.endswith(f"/deployments/{site.waiting}")):
        site.services.changes.publish(PROJECT, f"deployment:{site.waiting}")
    page.wait_for_timeout(200)
    expect(page.locator("#comment")).to_have_value("half a sen")
    expect(page.locator("#comment")).to_be_focused()
    assert page.locator("#stack").get_attribute("open") is not None


def test_search_finds_projects_environments_and_commits(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("production")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=f"{PROJECT} production")).to_be_visible()
    page.goto("/search?q=22222222")
    expect(page.locator("main")).to_contain_text("Say <b>good morning</b> & more")


@pytest.fixture
def many(site: Site) -> Iterator[None]:
    """More projects than are shown at a glance, in two groups; one of `troubled` is down. Taken away afterwards."""
    with site.services.database.writing() as tx:
        for number in range(15):
            for group in ("calm", "troubled"):
                made = make_project(tx, f"{group}/app-{number}")
                if (group, number) == ("troubled", 3):
                    release = make_release(tx, made.project)
                    serves = make_deployment(tx, made.staging, release, DeploymentStatus.SUCCEEDED)
                    environments.update(tx, made.staging.id, current_deployment_id=serves.id)
                    observations.put(tx, made.staging.id, Seen(Condition.DOWN, site.services.now()))
    yield
    with site.services.database.writing() as tx:
        tx.execute(sa.delete(projects).where(projects.c.name.like("%/app-%")))


def test_groups_fold_as_they_were_left_and_projects_are_found_while_one_types(page: Page, many: None) -> None:
    page.goto("/")
    shown = page.locator("[data-project]:visible")
    calm, troubled = page.locator("#group-calm"), page.locator("#group-troubled")
    expect(troubled).to_have_attribute("open", "")
    expect(calm).not_to_have_attribute("open", "")
    expect(shown).to_have_count(16)
    calm.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(shown).to_have_count(31)
    page.reload()
    expect(shown).to_have_count(31)
    troubled.locator("summary").click()
    page.reload()
    expect(troubled).not_to_have_attribute("open", "")
    page.locator("#filter-project").fill("/app-14")
    expect(shown).to_have_count(2)
    expect(page).to_have_url(re.compile("project=%2Fapp-14$"))
    page.locator("#filter-project").fill("nothing of that name")
    expect(page.get_by_text("No project of that name and state")).to_be_visible()
    page.locator("#filter-project").fill("")
    expect(shown).to_have_count(16)
    page.locator("#filter-state").select_option("down")
    expect(shown).to_have_count(1)
    expect(page).to_have_title(re.compile("^1 down"))


def test_without_scripts_the_form_asks_the_server(open_context: OpenContext, many: None) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/")
    page.locator("#filter-project").fill("app-7")
    page.locator("#filter-sort").select_option("state")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("project=app-7&state=&sort=state"))
    expect(page.locator("[data-project]:visible")).to_have_count(2)


def test_the_theme_is_chosen_and_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Change between light and dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_secret_is_written_and_never_shown(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/settings/variables")
    page.fill("#secret-name", "TOKEN")
    page.fill("#secret-value", "canary-secret-5678")
    expect(page.locator("#secret-value")).to_have_attribute("type", "password")
    show = page.get_by_role("button", name="Show the value")
    show.click()
    expect(page.locator("#secret-value")).to_have_attribute("type", "text")
    show.click()
    expect(page.locator("#secret-value")).to_have_attribute("type", "password")
    page.get_by_role("button", name="Set secret").click()
    expect(page.locator("#setting-whole-project-TOKEN")).to_contain_text("never shown")
    assert "canary-secret" not in page.content()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove TOKEN").click()
    expect(page.locator("#setting-whole-project-TOKEN")).to_have_count(0)


def test_a_secret_of_several_lines_is_pasted_unseen_and_kept_as_it_is(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/settings/variables")
    page.fill("#secret-name", "KEY_FILE")
    page.locator("#secret-value").evaluate(_PASTE, "-- begin\ncanary-secret\n-- end\n")
    lines = page.locator("#secret-lines")
    expect(lines).to_have_value("-- begin\ncanary-secret\n-- end\n")
    assert lines.evaluate("(field) => getComputedStyle(field).webkitTextSecurity") == "disc"
    page.get_by_role("button", name="Show the lines").click()
    assert lines.evaluate("(field) => getComputedStyle(field).webkitTextSecurity") == "none"
    page.get_by_role("button", name="Set secret").click()
    expect(page.locator("#setting-whole-project-KEY_FILE")).to_contain_text("never shown")
    with site.services.database.reading() as tx:
        sealed = configuration_store.sealed_of_project(tx, site.project)
    (kept,) = (value for setting, value in sealed if setting.name == "KEY_FILE")
    assert site.services.vault.open(kept, secrets.context(site.project.id)) == "-- begin\ncanary-secret\n-- end\n"


#: what a browser does where several lines are pasted
_PASTE = """(field, text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_an_environments_settings_are_changed(page: Page) -> None:
    page.goto(f"/{PROJECT}/environments/staging")
    page.fill("[name=watch_seconds]", "7")
    page.fill("[name=branches]", "main, release/*")
    page.fill("[name=compose_files]", "docker-compose.yml")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[name=watch_seconds]")).to_have_value("7")
    expect(page.locator("[name=branches]")).to_have_value("main, release/*")
    expect(page.locator("[name=compose_files]")).to_have_value("docker-compose.yml")


def test_a_mistake_in_a_form_is_told_with_its_remedy(page: Page) -> None:
    page.goto(f"/{PROJECT}/environments/staging")
    page.fill("[name=approvers]", "nobody-here")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("There is no user nobody-here")
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(re.compile("/environments/staging$"))


def test_a_role_is_given_and_taken(page: Page) -> None:
    page.goto(f"/{PROJECT}/settings/members")
    page.fill("#user", "frank")
    page.select_option("#role", "developer")
    page.get_by_role("button", name="Give").click()
    expect(page.locator("#member-frank")).to_contain_text("developer")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove frank").click()
    expect(page.locator("#member-frank")).to_have_count(0)


def test_a_form_from_elsewhere_is_refused(page: Page, site: Site) -> None:
    page.goto("/")
    answer = page.request.post(f"/{PROJECT}/pipelines/{site.pipeline}/cancel", form={"csrf_token": "guessed"})
    assert answer.status == 403
    assert "did not come from this site" in answer.text()


def test_things_are_only_found_under_their_own_project(page: Page, site: Site) -> None:
    for path in (f"pipelines/{site.pipeline}", f"jobs/{site.jobs['live']}", f"deployments/{site.waiting}"):
        assert page.request.get(f"/other/app/{path}").status == 404


def test_pages_are_whole_without_javascript(open_context: OpenContext, site: Site) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(site.job_path("colours"))
    expect(page.locator(".log-row")).to_have_count(3)
    expect(page.locator(".log .fg1.bold")).to_have_text("red")
    page.goto(f"/{PROJECT}/deployments/{site.waiting}")
    expect(page.get_by_role("button", name="Approve and deploy")).to_be_visible()


def test_deploying_shows_the_plan_and_asks(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/environments/staging")
    page.select_option("#release", "1")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", name="Deploy release 1 on staging")).to_be_visible()
    expect(page.locator("#now")).to_contain_text("release 1")
    expect(page.locator("#changes")).to_contain_text("plan")
    expect(page.locator(".steps")).to_contain_text("Apply the stack: web")
    before = list(site.started.workflows)
    page.get_by_role("link", name="Leave it").click()
    page.goto(f"/{PROJECT}/rollback?environment=staging&release=1")
    expect(page.get_by_role("button", name="Roll back now")).to_be_visible()
    assert site.started.workflows == before


def test_an_approval_with_a_comment_lets_the_deployment_go(page: Page, site: Site) -> None:
    page.goto(f"/{PROJECT}/deployments/{site.waiting}")
    expect(page.locator(".changes")).to_contain_text("image web")
    page.fill("#comment", "Looked at staging")
    page.get_by_role("button", name="Approve and deploy").click()
    expect(page.locator("main")).to_contain_text("running")
    expect(page.locator("#approval-1")).to_contain_text("“Looked at staging”")
    assert [name for name in site.started.workflows if f"deployment-{site.waiting}" in name]


def _set_job(site: Site, status: RunStatus) -> None:
    with site.services.database.writing() as tx:
        set_status(tx, Subject.JOB, site.jobs["live"], status)
    site.services.changes.publish(PROJECT, f"pipeline:{site.pipeline}")


def test_variables_are_set_with_flags_and_offered_for_the_release_that_serves(page: Page) -> None:
    page.goto(f"/{PROJECT}/settings/variables")
    expect(page.locator("#outdated-staging")).to_contain_text("Deploy release 1 again")
    expect(page.locator("#effective-API_KEY")).to_contain_text("group demo, as SV_STAGING_API_KEY")
    page.fill("#variable-name", "SHADE")
    page.fill("#variable-value", "green and blue")
    page.select_option("#variable-protected", "yes")
    page.select_option("#variable-masked", "yes")
    page.get_by_role("button", name="Set", exact=True).click()
    row = page.locator("#setting-whole-project-SHADE")
    expect(row).to_contain_text("protected")
    expect(row).to_contain_text("masked")
    row.get_by_role("link", name="Versions of SHADE").click()
    expect(page.locator("#version-1")).to_contain_text("green and blue")
    assert "canary-secret" not in page.content()
