"""What is deployed is stopped, started, scaled and restarted on a real engine, also by a server that is killed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import SMALL, unbuilt

pytestmark = pytest.mark.integration
_COMPOSE = (
    SMALL["docker-compose.yml"]
    + """\
  idle:
    image: cabestan/python:3.11
    user: "1001"
    command: [sleep, infinity]
    stop_signal: SIGKILL
"""
)
_KILLS = ("deployment.restart:before", "deployment.restart:after", "deployment.watch:before")


def _staging(platform: Platform, work: Work) -> Any:
    (staging, _) = platform.get(f"/projects/{work.name}/environments")["items"]
    return staging | {"services": {one["name"]: one for one in staging["services"]}}


def _done(platform: Platform, work: Work, what: str, body: dict[str, object]) -> Any:
    made = platform.post(f"/projects/{work.name}/environments/staging/{what}", body)
    platform.succeeds(made["id"])
    return platform.get(f"/deployments/{made['id']}")


def _tasks(platform: Platform, work: Work, service: str) -> set[str]:
    """Those that run."""
    found = platform.get(f"/projects/{work.name}/environments/staging")["services"]
    (one,) = [one for one in found if one["name"] == service]
    return {task["id"] for task in one["tasks"] if task["state"] == task["wanted"] == "running"}


def _becomes(platform: Platform, work: Work, service: str, state: str, running: int) -> None:
    def so() -> bool:
        one = _staging(platform, work)["services"][service]
        return (one["state"], one["running"], one["wanted"]) == (state, running, running)

    eventually(so, 30, f"{service} is {state} with {running}", 0.1)


def test_what_serves_is_stopped_started_scaled_and_restarted(platform: Platform) -> None:
    work = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": _COMPOSE}))
    work.goes_live(120)
    host = work.host("staging")

    _done(platform, work, "stop", {"services": ["app"]})
    _becomes(platform, work, "app", "stopped", 0)
    page = eventually(lambda: (a := platform.ask(host)).status_code == 503 and a, 20, "the calm page", 0.2)
    assert page.headers["cabestan-route"] == "down"
    assert _staging(platform, work)["state"] == "serving", "idle does, and nothing else is wanted"
    assert _tasks(platform, work, "idle")

    scaled = _done(platform, work, "scale", {"replicas": {"idle": 2}})
    assert [step["kind"] for step in scaled["steps"]] == ["scale", "watch"]
    work.goes_live(120)
    deployed = platform.deployments(work.name, "staging")[0]
    kept = [one for one in platform.get(f"/deployments/{deployed['id']}")["plan"]["changes"] if one["kind"] == "kept"]
    assert [one["subject"] for one in kept] == ["app", "idle"]
    _becomes(platform, work, "app", "stopped", 0)
    _becomes(platform, work, "idle", "serving", 2)
    assert not [one for one in platform.get("/alerts")["items"] if one["project"] == work.name]

    started = _done(platform, work, "start", {})
    assert [step["kind"] for step in started["steps"]] == ["scale", "watch", "routes"]
    platform.comes_to_say(host, f"one staging {deployed['commit']}")

    former = _tasks(platform, work, "idle")
    platform.restart(kill_at=_KILLS)
    made = platform.post(f"/projects/{work.name}/environments/staging/restart", {"services": ["idle"]})["id"]
    ended = platform.run_through(_KILLS, lambda: _ended(platform, made), 120)
    assert ended["status"] == "succeeded", ended
    now = _tasks(platform, work, "idle")
    assert (len(former), len(now), former & now) == (2, 2, set())
    made_of = platform.client.services.list(filters={"label": f"cabestan.project={work.name}"})
    marks = {one.attrs["Spec"]["TaskTemplate"]["ForceUpdate"] for one in made_of if one.name.endswith("_idle")}
    assert marks == {made}


def _ended(platform: Platform, deployment: int) -> Any:
    found = platform.get(f"/deployments/{deployment}")
    return found if found["finished_at"] else None
