"""The log viewer: a million lines, live lines, links, search, colours."""

import re
from threading import Thread
from time import monotonic, sleep

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import OpenContext
from tests.e2e.site import LONG, PROJECT, Site, writer
from tests.samples import set_status

from cabestan.domain.outbox import Subject
from cabestan.domain.status import RunStatus
from cabestan.engine.building.job_runs import log_id
from cabestan.store import pipelines as pipeline_store

pytestmark = pytest.mark.e2e
#: first and last line that can be seen, and how many of those are still being fetched
_SEEN = """() => {
  const view = document.querySelector('.log-view').getBoundingClientRect();
  const rows = [...document.querySelectorAll('.log-row')].filter((row) => {
    const box = row.getBoundingClientRect();
    return box.bottom > view.top + 1 && box.top < view.bottom - 1;
  });
  const number = (row) => Number(row?.querySelector('.log-number').textContent);
  return [number(rows[0]), number(rows.at(-1)), rows.filter((row) => row.classList.contains('loading')).length];
}"""


def test_a_million_lines_open_at_once_and_only_some_are_in_the_document(page: Page, site: Site) -> None:
    _open(page, site, "long")
    expect(page.locator("[data-log-count]")).to_have_text(f"{LONG:,} lines")
    assert _seen(page)[0] == 1
    assert page.locator(".log-row").count() < 150


def test_the_log_of_what_failed_opens_where_it_says_why(page: Page, site: Site) -> None:
    """Unless the address names another line."""
    with site.services.database.writing() as tx:
        pipeline_store.update_job(tx, site.jobs["long"], log_line=765_432)
    try:
        _open(page, site, "long")
        _until(page, lambda first, last: first < 765_432 < last)
        page.goto(site.job_path("long") + "#L12")
        _until(page, lambda first, last: first <= 12 < last)
    finally:
        with site.services.database.writing() as tx:
            pipeline_store.update_job(tx, site.jobs["long"], log_line=0)


def test_both_ends_and_every_line_between_can_be_reached(page: Page, site: Site) -> None:
    view = _open(page, site, "long")
    view.press("End")
    _until(page, lambda first, last: last == LONG)
    view.hover()
    page.mouse.wheel(0, -400)
    _until(page, lambda first, last: last == LONG - 20)
    view.press("Home")
    _until(page, lambda first, last: first == 1)
    page.mouse.wheel(0, 1000)
    _until(page, lambda first, last: first == 51)


#: as where a frame takes longer than what a clock waits for
_EARLY_CLOCKS = (
    "const later = window.setTimeout; window.setTimeout = (act, ms, ...more) => later(act, ms / 20, ...more);"
)


def test_a_slow_browser_is_left_to_scroll_to_the_end_of_its_movement(open_context: OpenContext, site: Site) -> None:
    page = open_context().new_page()
    page.add_init_script(_EARLY_CLOCKS)
    view = _open(page, site, "long")
    for key, edge in (("End", LONG), ("Home", 1)) * 3:
        view.press(key)
        _until(page, lambda first, last, edge=edge: edge in (first, last))


#: how far the scroll bar is put elsewhere after a movement, while a key is held down and then
_PLACED_WITH_A_KEY_DOWN = """async () => {
  const view = document.querySelector('.log-view');
  const pressed = () => view.dispatchEvent(new KeyboardEvent('keydown', { key: 'Shift' }));
  const frame = () => new Promise(requestAnimationFrame);
  view.scrollTop -= 400;
  const before = view.scrollTop;
  for (let frames = 0; frames < 60; frames += 1) { pressed(); await frame(); }
  const during = Math.abs(view.scrollTop - before);
  for (let frames = 0; frames < 600 && view.scrollTop === before; frames += 1) await frame();
  return [during > 1, Math.abs(view.scrollTop - before) > 1];
}"""


def test_what_a_key_has_begun_is_not_broken_off_before_it_moves(page: Page, site: Site) -> None:
    view = _open(page, site, "long")
    view.press("End")
    _until(page, lambda first, last: last == LONG)
    assert page.evaluate(_PLACED_WITH_A_KEY_DOWN) == [False, True]


def test_a_link_leads_to_its_line(page: Page, site: Site) -> None:
    page.goto(site.job_path("long") + "#L654321")
    expect(page.locator(".log-row.selected .log-text")).to_have_text("line 654321 of a long log")
    _until(page, lambda first, last: first < 654321 < last)


#: a busy machine would miss a word that stands for a moment only
_PATIENT_WORDS = (
    "const later = window.setTimeout;"
    "window.setTimeout = (act, ms, ...more) => later(act, ms === 1500 ? 60000 : ms, ...more);"
)


def test_the_link_to_a_line_is_made_by_a_click_and_copied(open_context: OpenContext, site: Site) -> None:
    context = open_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(_PATIENT_WORDS)
    _open(page, site, "long")
    page.locator(".log-number").nth(6).click()
    expect(page).to_have_url(re.compile("#L7$"))
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copy link")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}{site.job_path('long')}#L7"


def test_search_goes_from_match_to_match(page: Page, site: Site) -> None:
    _open(page, site, "long")
    page.get_by_label("Search the log").fill("NEEDLE")
    now = page.locator(".log-row.now .log-number")
    expect(now).to_have_text("250000")
    expect(page.locator(".log-bar [role=status]")).to_have_text("1 of 4")
    page.get_by_role("button", name="Next match").click()
    expect(now).to_have_text("500000")
    page.get_by_role("button", name="Previous match").click()
    page.get_by_role("button", name="Previous match").click()
    expect(now).to_have_text("1000000")
    page.get_by_label("Search the log").fill("nowhere to be found")
    expect(page.locator(".log-bar [role=status]")).to_have_text("not found")


def test_a_search_that_looked_at_a_part_goes_on_where_it_stopped(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.store.logs.reader.SEARCHED", 16_000_000)
    _open(page, site, "long")
    page.get_by_label("Search the log").fill("NEEDLE")
    told = page.locator(".log-bar [role=status]")
    expect(told).to_have_text(re.compile(r"^1 of 2 in the first 16 of 2\d\.\d MB$"))
    further = page.get_by_role("button", name="Search the rest of the log too")
    further.click()
    expect(told).to_have_text("3 of 4")
    expect(further).to_be_hidden()
    expect(page.locator(".log-row.now .log-number")).to_have_text("750000")


def test_colours_and_carriage_returns_are_shown_and_html_is_text(page: Page, site: Site) -> None:
    _open(page, site, "colours")
    lines = page.locator(".log-text")
    expect(lines).to_have_text(["red <script>document.title='broken'</script>", "100%", "true"])
    expect(page.locator(".log-text .fg1.bold")).to_have_text("red")
    colour = lines.nth(2).locator("span").evaluate("(span) => getComputedStyle(span).color")
    assert colour == "rgb(10, 200, 30)"
    assert "broken" not in page.title()


def test_long_lines_can_be_wrapped(page: Page, site: Site) -> None:
    view = _open(page, site, "long")
    page.get_by_role("button", name="Wrap long lines").click()
    view.press("End")
    _until(page, lambda first, last: last == LONG)


def test_live_lines_come_in_order_without_freezing_the_page(page: Page, site: Site) -> None:
    """A thousand lines a second: none lost or doubled, and only those in view are in the document."""
    with writer(site, "live") as log:
        log.attach("one")
        page.goto(site.job_path("live"))
        expect(page.get_by_text("Nothing printed yet")).to_be_visible()
        feeder = Thread(target=_feed, args=(site, log, 4))
        feeder.start()
        try:
            expect(page.get_by_role("button", name="Follow the end")).to_have_attribute("aria-pressed", "true")
        finally:
            feeder.join()
        expect(page.locator("[data-log-count]")).to_have_text("4,000 lines")
        _until(page, lambda first, last: last == 4000)
        assert page.locator(".log-row").evaluate_all(_WRONG_ROWS) == []
        assert page.locator(".log-row").count() < 300
        page.locator(".log-view").hover()
        page.mouse.wheel(0, -2000)
        expect(page.get_by_role("button", name="Follow the end")).to_have_attribute("aria-pressed", "false")
        _until(page, lambda first, last: last == 3900)


def test_a_job_that_runs_again_is_followed_again(page: Page, site: Site) -> None:
    _open(page, site, "colours")
    follow = page.get_by_role("button", name="Follow the end")
    expect(follow).to_be_hidden()
    try:
        _set_status(site, RunStatus.RUNNING)
        expect(follow).to_be_visible()
    finally:
        _set_status(site, RunStatus.FAILED)


def _set_status(site: Site, status: RunStatus) -> None:
    with site.services.database.writing() as tx:
        set_status(tx, Subject.JOB, site.jobs["colours"], status)
    site.services.changes.publish(PROJECT, f"job:{site.jobs['colours']}")


_WRONG_ROWS = """(rows) => rows.map((row) => [row.querySelector('.log-number').textContent,
  row.querySelector('.log-text').textContent]).filter(([number, text]) => text !== `live ${number}`)"""


def _feed(site: Site, log: object, seconds: int) -> None:
    for start in range(1, seconds * 1000, 50):
        text = "".join(f"live {n}\n" for n in range(start, start + 50))
        log.feed(text.encode())  # type: ignore[attr-defined]
        site.services.hub.advanced(log_id(site.jobs["live"]))
        sleep(0.05)


def _open(page: Page, site: Site, job: str) -> Locator:
    page.goto(site.job_path(job))
    expect(page.locator(".log-space")).to_be_attached()
    return page.locator(".log-view")


def _seen(page: Page) -> list[int]:
    found: list[int] = page.evaluate(_SEEN)
    return found


def _until(page: Page, holds: object) -> None:
    """Waits until the lines that are seen are those."""
    deadline = monotonic() + 60
    while True:
        first, last, loading = _seen(page)
        if holds(first, last) and not loading:  # type: ignore[operator]
            return
        assert monotonic() < deadline, f"lines {first} to {last}, {loading} loading"
        page.wait_for_timeout(50)
