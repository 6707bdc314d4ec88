"""Runs by the clock whose containers are there before they are due, on a real engine."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from docker.errors import APIError
from docker.models.containers import Container
from tests.integration.harness import ENDED, Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt

from cabestan.store.database import Database
from cabestan.store.schema import schedules

pytestmark = pytest.mark.integration
_RUN = "cabestan.run"
#: seconds to prepare them in: a busy machine may be too slow for the default
_LEADS = (5, 10, 20, 40, 50)
#: for what the test does before they are due
_LEISURE = timedelta(seconds=1)
_CRON = """
  plain: &cron
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    restart: "no"
    environment: {WHERE: "${CI_ENVIRONMENT_NAME}"}
    labels:
      sh.factory.cronjob.schedule: "@yearly"
      sh.factory.cronjob.command: "date +%s.%N; echo $$WHERE $$VIA $$SHLVL"
  canceled:
    <<: *cron
  ended:
    <<: *cron
  through:
    <<: *cron
    entrypoint: [/usr/bin/env, VIA=entrypoint]
"""


@pytest.fixture
def work(platform: Platform) -> Iterator[Work]:
    made = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _CRON}))
    made.goes_live()
    yield made
    platform.settings.pop("lead_seconds", None)
    for schedule in _schedules(made).values():
        platform.post(f"/schedules/{schedule['id']}/pause")


def _schedules(work: Work) -> dict[str, dict[str, Any]]:
    found = work.platform.get(f"/projects/{work.name}/schedules", environment="staging")["items"]
    return {schedule["service"]: schedule for schedule in found}


def _make_due_soon(platform: Platform, ids: list[int], lead: int) -> datetime:
    """At a whole second that leaves time to prepare them; the server looks at its start."""
    platform.kill()
    platform.settings["lead_seconds"] = str(lead)
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=lead + 4)
    database = Database(platform.database_url)
    with database.writing() as tx:
        tx.execute(sa.update(schedules).where(schedules.c.id.in_(ids)).values(next_due=due))
    database.close()
    platform.start()
    return due


def _held(platform: Platform, runs: dict[str, dict[str, Any]]) -> dict[str, Container]:
    """The containers that run, by service."""
    label = [f"cabestan.instance={platform.instance}", _RUN]
    found = {c.labels[_RUN]: c for c in platform.client.containers.list(filters={"label": label}, ignore_removed=True)}
    return {name: found[str(run["id"])] for name, run in runs.items() if str(run["id"]) in found}


def _newest_runs(work: Work, ids: dict[str, int]) -> dict[str, dict[str, Any]]:
    found = {name: work.platform.get(f"/schedules/{key}/runs")["items"] for name, key in ids.items()}
    return {name: runs[0] for name, runs in found.items() if runs}


def _log(platform: Platform, run: dict[str, Any]) -> str:
    return platform.http.get(f"/api/v1/runs/{run['id']}/log").text


@dataclass(frozen=True)
class _Seen:
    """Before they were due."""

    due: datetime
    runs: dict[str, dict[str, Any]]
    logs: list[str]


def _killed_before_due(work: Work, ids: dict[str, int]) -> _Seen:
    """All have their containers, one is canceled, one ends, and the server is killed.

    A busy machine gets more time for it.
    """
    for lead in _LEADS:
        former = {run["id"] for run in _newest_runs(work, ids).values()}
        due = _make_due_soon(work.platform, list(ids.values()), lead)
        try:
            if seen := _held_and_killed(work, ids, due):
                return seen
        except (APIError, AssertionError):
            if datetime.now(UTC) < due:
                raise
        if work.platform.died:
            work.platform.start()
        eventually(lambda f=former: _have_ended(work, ids, f), 60, "all of them run nevertheless")  # type: ignore[misc]
    raise AssertionError(f"not all of them had containers before they were due, {_LEADS[-1]} s ahead")


def _held_and_killed(work: Work, ids: dict[str, int], due: datetime) -> _Seen | None:
    """None where that was not done in time."""
    platform = work.platform
    while datetime.now(UTC) < due - _LEISURE:
        runs = _newest_runs(work, ids)
        containers = _held(platform, runs)
        if set(containers) == set(ids):
            seen = _Seen(due, runs, [_log(platform, run) for run in runs.values()])
            platform.post(f"/runs/{runs['canceled']['id']}/cancel")
            containers["ended"].kill()
            platform.kill()
            return seen if datetime.now(UTC) < due else None
        time.sleep(0.05)
    return None


def _have_ended(work: Work, ids: dict[str, int], former: set[int]) -> bool:
    ended = [run for run in _newest_runs(work, ids).values() if run["id"] not in former and run["status"] in ENDED]
    return len(ended) == len(ids)


def test_containers_are_there_in_time_and_do_nothing_until_they_are_due(work: Work) -> None:
    platform = work.platform
    ids = {name: schedule["id"] for name, schedule in _schedules(work).items()}
    seen = _killed_before_due(work, ids)
    assert {name: (run["status"], run["started_at"]) for name, run in seen.runs.items()} == dict.fromkeys(
        ids, ("running", None)
    )
    assert seen.logs == [""] * len(ids)
    left = (seen.due - datetime.now(UTC)).total_seconds()
    eventually(lambda: "plain" not in _held(platform, seen.runs), left + 30, "what is held runs without the server")
    restarted = time.time()
    platform.start()
    eventually(lambda: _have_ended(work, ids, set()), 60, "all of them end")
    runs = _newest_runs(work, ids)
    assert runs["canceled"]["status"] == "canceled"
    assert "staging" not in _log(platform, runs["canceled"])
    for name in ("plain", "through", "ended"):
        begun, words = _log(platform, runs[name]).splitlines()
        assert (runs[name]["status"], runs[name]["attempt"], runs[name]["cause"]) == ("succeeded", 1, "due")
        assert float(begun) >= seen.due.timestamp()
        assert words == ("staging entrypoint 1" if name == "through" else "staging 1"), name
    assert float(_log(platform, runs["plain"]).split()[0]) < restarted
    platform.becomes_tidy()
