"""A person's deployment beside projects that flood the platform with builds that sleep, as many as each may have."""

import time
from contextlib import suppress

import httpx

from bench import projects, script_jobs
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure
from bench.instance import Instance
from bench.rounds import rounds
from bench.time_limits import until

ROUNDS = 5
LIMIT = 1.0
#: of each: `open_pipelines` are no more by default
_BUILDS = 100
_QUIET, _FLOODING = "bench/quiet", ("bench/flood-1", "bench/flood-2", "bench/flood-3")
#: for all rounds
_SECONDS = 120


def measure(instance: Instance) -> list[Figure]:
    api = instance.api
    projects.create(api, _QUIET)
    projects.release(api, _QUIET, compose.one_service())
    for project in _FLOODING:
        projects.create(api, project)
        api.ended(f"/pipelines/{projects.push(api, project, compose.one_image())}", 180)
    _first_step(api)
    alone = [_first_step(api) for _ in rounds(ROUNDS, _SECONDS)]
    flood = [
        script_jobs.start(instance.database, api, project, "exec sleep 3600")[0]
        for _ in range(_BUILDS)
        for project in _FLOODING
    ]
    beside = [_first_step(api) for _ in rounds(ROUNDS, _SECONDS)]
    for pipeline in reversed(flood):  # those that wait first, lest they begin
        with suppress(httpx.HTTPStatusError):
            api.cancel(pipeline)
    note = f"the worst of {len(beside)}; alone {max(alone):.2f} s"
    return [Figure("a deployment's first step beside 300 waiting builds", max(beside), "s", limit=LIMIT, note=note)]


def _first_step(api: Api) -> float:
    """Seconds from the wish until the first step has begun."""
    at = f"/projects/{_QUIET}/environments/staging/deployments"
    began = time.monotonic()
    key = api.post(at)["id"]
    until(lambda: api.get(f"/deployments/{key}")["steps"], 60, "its first step", pause=0.01)
    seconds = time.monotonic() - began
    api.ended(f"/deployments/{key}")
    return seconds
