"""Services that are waited for until they have ended."""

from __future__ import annotations

import pytest
from tests.compose.samples import IMAGE, loaded, refusal, rendered, web

from cabestan.compose.phases import RunOnce, phases

WAITS = "depends_on: {migrate: {condition: service_completed_successfully}}"
_CRON = "labels: {sh.factory.cronjob.schedule: '@daily', sh.factory.cronjob.command: a}"


def migrate(line: str = "") -> str:
    return f"  migrate:\n    image: {IMAGE}\n" + (f"    {line}\n" if line else "")


@pytest.mark.parametrize("line", ["", 'restart: "no"', "restart: on-failure", "restart: on-failure:3"])
def test_what_is_waited_for_to_its_end_runs_once_before_those_that_wait(line: str) -> None:
    text = web(WAITS, migrate(line))
    stack = rendered(text)
    assert (list(stack.document["services"]), list(stack.once)) == (["web"], ["migrate"])
    assert "restart_policy" not in stack.once["migrate"].get("deploy", {})
    assert phases(loaded(text).compose, (), ("web",)) == (RunOnce("migrate"),)


@pytest.mark.parametrize("line", ["restart: always", "restart: unless-stopped"])
def test_what_never_ends_is_refused_where_it_says_so(line: str) -> None:
    (finding,) = refusal(web(WAITS, migrate(line)))
    assert (finding.code, finding.path) == ("dependency-end", "services.migrate.restart")
    assert str(finding).endswith(
        "migrate is waited for until it has ended, but it is started again whenever it ends. "
        'Write restart: "no" there, or wait for condition: service_started.'
    )


def test_what_runs_by_the_clock_is_waited_for_by_nobody() -> None:
    (finding,) = refusal(web(WAITS, migrate(_CRON)))
    assert (finding.code, finding.remedy) == ("dependency-end", "Remove the dependency.")


@pytest.mark.parametrize("condition", ["service_started", "service_healthy"])
def test_what_is_waited_for_in_another_way_is_kept_running(condition: str) -> None:
    stack = rendered(web(f"depends_on: {{migrate: {{condition: {condition}}}}}", migrate()))
    assert (list(stack.document["services"]), list(stack.once)) == (["web", "migrate"], [])
