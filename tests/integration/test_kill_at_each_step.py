"""SIGKILL to the server before and after each step of each workflow, and at random moments."""

import random
import time
import uuid
from contextlib import suppress
from typing import Any

import httpx
import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, counted, counting, unbuilt

from cabestan.testing import STEPS

pytestmark = pytest.mark.integration

#: those that only a failure comes to
_ON_FAILURE = ("release.fail", "deployment.put-back")
#: those of services that run once or by the clock, of databases, of deletions, and of what people do to what is
#: deployed, have tests of their own
_OF_RUNS = ("deployment.start", "deployment.run", "cron.run", "cron.end", "deployment.managed")
_OF_ACTIONS = ("deployment.restart", "deployment.scale", "deployment.stop")
_ON_SUCCESS = tuple(
    step
    for step in STEPS
    if step not in (*_ON_FAILURE, *_OF_RUNS, *_OF_ACTIONS) and not step.startswith(("database.", "deletion."))
)
_LINES = 300


def _boundaries(steps: tuple[str, ...], *edges: str) -> list[str]:
    return [f"{step}:{edge}" for step in steps for edge in edges]


def _all_ended(platform: Platform, work: Work) -> bool:
    """The project's one new pipeline and all that it deploys automatically."""
    pipelines = platform.pipelines(work.name)
    staging = platform.deployments(work.name, "staging")
    ended = ("succeeded", "failed", "rolled_back")
    return all(p["status"] in ended for p in pipelines) and all(d["status"] in ended for d in staging)


def _story(platform: Platform, work: Work) -> dict[str, Any]:
    """What became of all pushes: newest first."""
    pipelines = [platform.get(f"/pipelines/{p['id']}") for p in platform.pipelines(work.name)]
    return {
        "pipelines": [p["status"] for p in pipelines],
        "jobs": [(j["status"], j["attempt"]) for p in pipelines for j in p["jobs"]],
        "releases": [p["release"] for p in pipelines],
        "staging": [
            (d["release"], d["reason"] if d["status"] == "failed" else d["status"])
            for d in platform.deployments(work.name, "staging")
        ],
        "production": [(d["release"], d["status"]) for d in platform.deployments(work.name, "production")],
    }


def _logs(platform: Platform, work: Work) -> list[str]:
    """Of all builds."""
    pipelines = [platform.get(f"/pipelines/{p['id']}") for p in platform.pipelines(work.name)]
    return [platform.log(job["id"]) for p in pipelines for job in p["jobs"] if job["kind"] == "build"]


def _says(platform: Platform, work: Work) -> str:
    """What staging answers; the server may still be giving the router its certificates."""
    with suppress(httpx.TransportError):
        return platform.ask(work.host("staging")).text
    return ""


def _is_tidy(platform: Platform) -> None:
    platform.becomes_tidy()


@pytest.mark.parametrize("edge", ["before", "after"])
def test_a_push_survives_a_kill_at_every_step(killed: Platform, edge: str) -> None:
    """One push, and a kill at each step in turn."""
    boundaries = _boundaries(_ON_SUCCESS, edge)
    killed.start(boundaries)
    work = killed.make_project(counting(_LINES, 1, uuid.uuid4().hex))
    work.push()
    killed.run_through(
        boundaries, lambda: killed.killed_at == set(boundaries) and not killed.died and _all_ended(killed, work), 240
    )
    assert _story(killed, work) == {
        "pipelines": ["succeeded"],
        "jobs": [("succeeded", 1), ("succeeded", 1)],
        "releases": [1],
        "staging": [(1, "succeeded")],
        "production": [(1, "waiting")],
    }
    assert [counted(log) for log in _logs(killed, work)] == [list(range(1, _LINES + 1))]
    eventually(lambda: _says(killed, work).startswith("one staging"), 30, "it is served with its certificate")
    _is_tidy(killed)


def test_putting_back_survives_a_kill_at_every_step(killed: Platform) -> None:
    boundaries = _boundaries(("deployment.watch", "deployment.put-back"), "before", "after")
    killed.start()
    work = killed.make_project(unbuilt())
    first = work.deployed()
    killed.stop()
    killed.start(boundaries)
    good = work.files["docker-compose.yml"]
    work.files |= {"docker-compose.yml": good.replace("[python3, app.py]", "[sh, -c, 'exit 7']")}
    work.push()
    killed.run_through(
        boundaries, lambda: killed.killed_at == set(boundaries) and not killed.died and _all_ended(killed, work), 120
    )
    story = _story(killed, work)
    assert story["staging"] == [(2, "rolled_back"), (1, "succeeded")]
    assert story["pipelines"] == ["succeeded", "succeeded"]
    eventually(lambda: _says(killed, work) == f"one staging {first['commit']}", 30, "the first one is served again")
    _is_tidy(killed)


_ONCE_AND_CRON = """\
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: [bash, -c, "echo ran >> /data/ran; wc -l < /data/ran; sleep 1"]
    restart: "no"
    depends_on: [app]
    volumes: ["./data:/data"]
  nightly:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    volumes: ["./data:/data"]
    labels:
      sh.factory.cronjob.schedule: "@yearly"
      sh.factory.cronjob.command: "echo ran >> /data/ran; wc -l < /data/ran"
"""


def test_what_runs_once_or_by_the_clock_runs_once_with_a_kill_at_every_step(killed: Platform) -> None:
    deploying = _boundaries(("deployment.start", "deployment.run"), "before", "after")
    running = _boundaries(("cron.run", "cron.end"), "before", "after")
    killed.start(deploying)
    work = killed.make_project(unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _ONCE_AND_CRON}))
    work.push()
    killed.run_through(
        deploying, lambda: killed.killed_at == set(deploying) and not killed.died and _all_ended(killed, work), 120
    )
    [staging] = killed.deployments(work.name, "staging")
    assert staging["status"] == "succeeded", staging
    [once] = killed.get(f"/deployments/{staging['id']}")["runs"]
    assert (once["status"], killed.http.get(f"/api/v1/runs/{once['id']}/log").text) == ("succeeded", "1\n")

    killed.stop()
    killed.start(running)
    [schedule] = killed.get(f"/projects/{work.name}/schedules")["items"]
    with suppress(httpx.HTTPError):  # the server may kill itself before it answers
        killed.post(f"/schedules/{schedule['id']}/run")

    def ran() -> Any:
        runs = killed.get(f"/schedules/{schedule['id']}/runs")["items"]
        return killed.killed_at >= set(running) and not killed.died and all(r["status"] == "succeeded" for r in runs)

    killed.run_through(running, ran, 60)
    [run] = killed.get(f"/schedules/{schedule['id']}/runs")["items"]
    assert (run["attempt"], killed.http.get(f"/api/v1/runs/{run['id']}/log").text) == (1, "2\n")
    _is_tidy(killed)


def test_a_pipeline_without_a_release_survives_a_kill_at_every_step(killed: Platform) -> None:
    boundaries = _boundaries(("release.make", "release.fail"), "before", "after")
    killed.start(boundaries)
    portless = COMPOSE.replace("    expose: [8000]\n", "").replace('      traefik.port: "8000"\n', "")
    work = killed.make_project(unbuilt(SMALL | {"docker-compose.yml": portless}))
    work.push()
    killed.run_through(
        boundaries, lambda: killed.killed_at == set(boundaries) and not killed.died and _all_ended(killed, work), 120
    )
    assert _story(killed, work) == {
        "pipelines": ["failed"],
        "jobs": [("succeeded", 1)],
        "releases": [None],
        "staging": [],
        "production": [],
    }
    _is_tidy(killed)


def test_a_push_survives_kills_at_random_moments(killed: Platform) -> None:
    """For real: whatever the server is doing."""
    moments = random.Random(20)
    killed.start()
    work = killed.make_project(counting(3000, 6, uuid.uuid4().hex))
    work.push()
    for _ in range(8):
        time.sleep(moments.uniform(0.1, 1.6))
        killed.restart()
    eventually(lambda: _all_ended(killed, work) and killed.deployments(work.name, "staging"), 90, "all ends")
    eventually(lambda: _all_ended(killed, work), 90, "all ends")
    assert _story(killed, work) == {
        "pipelines": ["succeeded"],
        "jobs": [("succeeded", 1), ("succeeded", 1)],
        "releases": [1],
        "staging": [(1, "succeeded")],
        "production": [(1, "waiting")],
    }
    assert [counted(log) for log in _logs(killed, work)] == [list(range(1, 3001))]
    _is_tidy(killed)


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.4])
def test_a_kill_during_the_push_makes_one_pipeline(killed: Platform, delay: float) -> None:
    """Where the refs moved before the kill, the pipeline starts after the restart; where not, the push is repeated."""
    killed.start()
    work = killed.make_project(unbuilt())
    commit = work.commit()
    pushing = work.push_in_background()
    time.sleep(delay)
    killed.restart()
    pushing.communicate(timeout=60)
    again = work.push_in_background()
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0, output
    pipelines = eventually(lambda: killed.pipelines(work.name), 60, "the pipeline starts")
    killed.wait_for_pipeline(pipelines[0]["id"])
    eventually(lambda: _all_ended(killed, work), 60, "all ends")
    assert [p["commit"] for p in killed.pipelines(work.name)] == [commit]
    assert _story(killed, work)["staging"] == [(1, "succeeded")]
    _is_tidy(killed)
