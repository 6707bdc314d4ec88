"""Services that run by the clock, on a real engine."""

from typing import Any

import pytest
from tests.integration.harness import ENDED, Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt

pytestmark = pytest.mark.integration

_CRON = """\
  minutely: &cron
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: /bin/false
    restart: "no"
    environment: {TOKEN: "${TOKEN}", WHERE: "${CI_ENVIRONMENT_NAME}"}
    volumes: ["./data:/tmp/data"]
    labels:
      sh.factory.cronjob.schedule: "* * * * *"
      sh.factory.cronjob.command: "echo token $$TOKEN in $$WHERE; python3 -c 'import urllib.request as u; print(u.urlopen(\\"http://app:8000/\\").read().decode())'"
  rarely:
    <<: *cron
    labels:
      sh.factory.cronjob.schedule: "0 5 1 jan *"
      sh.factory.cronjob.command: "echo once more; exit 3"
      sh.factory.cronjob.retries: "1"
  slow:
    <<: *cron
    entrypoint: /bin/bash
    labels:
      sh.factory.cronjob.schedule: "@yearly"
      sh.factory.cronjob.command: "echo begins; sleep 120"
      sh.factory.cronjob.timeout: 20s
"""
FILES = unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _CRON})


@pytest.fixture
def work(platform: Platform) -> Work:
    made = platform.make_project(FILES)
    platform.put(f"/projects/{made.name}/secrets/TOKEN", {"value": "the-tokens-value"})
    return made


def _schedules(work: Work) -> dict[str, dict[str, Any]]:
    found = work.platform.get(f"/projects/{work.name}/schedules", environment="staging")["items"]
    return {schedule["service"]: schedule for schedule in found}


def _ended(platform: Platform, run: int, seconds: float = 40) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = platform.get(f"/runs/{run}")
        return found if found["status"] in ENDED else None

    found: dict[str, Any] = eventually(ended, seconds, f"run {run} ends")
    return found


def _log(platform: Platform, run: int) -> str:
    return platform.http.get(f"/api/v1/runs/{run}/log").text


def test_schedules_run_when_due_and_now_with_what_the_environment_has(work: Work) -> None:
    platform = work.platform
    deployed = work.deployed()
    assert deployed["status"] == "succeeded", deployed
    schedules = _schedules(work)
    assert {name: found["schedule"] for name, found in schedules.items()} == {
        "minutely": "* * * * *",
        "rarely": "0 5 1 jan *",
        "slow": "0 0 1 1 *",
    }
    now = platform.run_now(schedules["minutely"]["id"])
    failing = platform.run_now(schedules["rarely"]["id"])
    slow = platform.run_now(schedules["slow"]["id"])
    ran = _ended(platform, now["id"])
    assert (ran["status"], ran["cause"], ran["by"], ran["due_at"]) == ("succeeded", "asked", "admin", None)
    assert _log(platform, now["id"]) == f"token [secret] in staging\none staging {deployed['commit']}\n"
    failed = _ended(platform, failing["id"])
    assert (failed["status"], failed["attempt"]) == ("failed", 2)
    assert failed["reason"].startswith("Exit code 3.")
    assert _log(platform, failing["id"]).count("once more\n") == 2
    late = _ended(platform, slow["id"], 60)
    assert (late["status"], late["reason"][:20]) == ("failed", "Not done after 20 s,")
    assert _log(platform, slow["id"]).startswith("begins\n")

    def due() -> dict[str, Any] | None:
        runs = platform.get(f"/schedules/{schedules['minutely']['id']}/runs")["items"]
        ended = (run for run in runs if run["due_at"] and run["status"] in ENDED)
        return next((run for run in ended if not overlapped(run)), None)

    def overlapped(run: dict[str, Any]) -> bool:
        """Where the run that was asked for still went on when the minute began."""
        return run["status"] == "skipped" and run["due_at"] < ran["finished_at"]

    by_the_clock = eventually(due, 90, "a run by the clock ends", 0.5)
    assert (by_the_clock["status"], by_the_clock["cause"], by_the_clock["attempt"]) == ("succeeded", "due", 1)
    assert by_the_clock["due_at"].endswith(":00.000Z")
    platform.post(f"/schedules/{schedules['minutely']['id']}/pause")
    assert _schedules(work)["minutely"]["next_due"] is None

    work.files |= unbuilt()
    work.goes_live()
    assert _schedules(work) == {}
    platform.becomes_tidy()
