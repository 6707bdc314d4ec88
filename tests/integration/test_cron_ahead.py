"""Runs by the clock whose containers are there before they are due, on a real engine."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from docker.models.containers import Container
from tests.integration.harness import ENDED, Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL

from cabestan.domain.schedule import LEAD
from cabestan.store.database import Database
from cabestan.store.schema import schedules

pytestmark = pytest.mark.integration
_RUN = "cabestan.run"
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
    made = platform.make_project(SMALL | {"docker-compose.yml": COMPOSE + _CRON})
    assert made.deployed()["status"] == "succeeded"
    yield made
    for schedule in _schedules(made).values():
        platform.post(f"/schedules/{schedule['id']}/pause")


def _schedules(work: Work) -> dict[str, dict[str, Any]]:
    found = work.platform.get(f"/projects/{work.name}/schedules", environment="staging")["items"]
    return {schedule["service"]: schedule for schedule in found}


def _make_due_soon(platform: Platform, ids: list[int]) -> datetime:
    """At a whole second that leaves time to prepare them; the server looks at its start."""
    platform.kill()
    due = datetime.now(UTC).replace(microsecond=0) + LEAD + timedelta(seconds=4)
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


def _prepared(work: Work, ids: dict[str, int]) -> datetime:
    """When they are due; all have their containers before. A busy machine gets some tries for it."""
    for _ in range(5):
        former = {run["id"] for run in _newest_runs(work, ids).values()}
        due = _make_due_soon(work.platform, list(ids.values()))
        while datetime.now(UTC) < due - _LEISURE:
            if set(_held(work.platform, _newest_runs(work, ids))) == set(ids):
                return due
            time.sleep(0.05)
        eventually(lambda f=former: _have_ended(work, ids, f), 60, "all of them run nevertheless")  # type: ignore[misc]
    raise AssertionError("not all of them had containers before they were due, five times")


def _have_ended(work: Work, ids: dict[str, int], former: set[int]) -> bool:
    ended = [run for run in _newest_runs(work, ids).values() if run["id"] not in former and run["status"] in ENDED]
    return len(ended) == len(ids)


def test_containers_are_there_in_time_and_do_nothing_until_they_are_due(work: Work) -> None:
    platform = work.platform
    ids = {name: schedule["id"] for name, schedule in _schedules(work).items()}
    due = _prepared(work, ids)
    runs = _newest_runs(work, ids)
    containers = _held(platform, runs)
    assert {name: (run["status"], run["started_at"]) for name, run in runs.items()} == dict.fromkeys(
        ids, ("running", None)
    )
    assert [_log(platform, run) for run in runs.values()] == [""] * len(ids)
    platform.post(f"/runs/{runs['canceled']['id']}/cancel")
    containers["ended"].kill()
    platform.kill()
    time.sleep(max(0.0, due.timestamp() - time.time()) + 1)
    restarted = time.time()
    platform.start()
    eventually(lambda: _have_ended(work, ids, set()), 60, "all of them end")
    runs = _newest_runs(work, ids)
    assert runs["canceled"]["status"] == "canceled"
    assert "staging" not in _log(platform, runs["canceled"])
    for name in ("plain", "through", "ended"):
        begun, words = _log(platform, runs[name]).splitlines()
        assert (runs[name]["status"], runs[name]["attempt"], runs[name]["cause"]) == ("succeeded", 1, "due")
        assert float(begun) >= due.timestamp()
        assert words == ("staging entrypoint 1" if name == "through" else "staging 1"), name
    assert float(_log(platform, runs["plain"]).split()[0]) < restarted
    eventually(lambda: platform.left_over() == {}, 20, "nothing is left over")
