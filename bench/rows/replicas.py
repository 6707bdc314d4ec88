"""Requests that a killed replica costs beyond those that it was answering, under constant load."""

import json
import time
from datetime import datetime
from typing import Any

from bench import docker_cli, projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure
from bench.instance import Instance
from bench.time_limits import until
from bench.under_load import loaded

KILLS = 6
REPLICAS = 3
RATE = 200
_PROJECT = "bench/replicas"
_AT = f"/projects/{_PROJECT}/environments/staging"
_DEADLINE = 60
#: load on after each kill (seconds), until well after Swarm has another replica
_PAUSE = 8
#: a request that was sent so long before the kill (seconds) was answered by then
_LONGEST_ANSWER = 0.5


def measure(instance: Instance) -> list[Figure]:
    """One method that may be repeated at will, and one that may not."""
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.replicas(REPLICAS))
    api.put(_AT, trigger="manual", watch_seconds=1)
    ended = api.ended(f"/deployments/{api.post(f'{_AT}/deployments')['id']}", _DEADLINE)
    if ended["status"] != "succeeded":
        raise RuntimeError(f"The deployment {ended['status']}: {ended['reason']}")
    figures = [_killed(instance, api, method) for method in ("GET", "POST")]
    docker_cli.remove_services(f"label=cabestan.project={_PROJECT}")
    return figures


def _killed(instance: Instance, api: Api, method: str) -> Figure:
    with loaded(instance, api.get(_AT)["domain"], RATE, method) as report:
        kills = [_kill() for _ in range(KILLS)]
    begun, beyond = sort_failures(report["failures"], kills)
    note = (
        f"{report['sent']} requests at {report['rate']:.0f}/s, {KILLS} kills of one of {REPLICAS} replicas; "
        f"{len(begun)} that were being answered failed; slowest {report['slowest']:.2f} s"
    )
    if beyond:
        note += f"; the first beyond: {'; '.join(beyond[:5])}"
    return Figure(f"requests lost beyond those in flight, {method}", len(beyond), "", limit=0, note=note)


def _kill() -> float:
    """When it was dead (seconds since 1970)."""
    running = until(lambda: _containers() if len(_containers()) == REPLICAS else None, _DEADLINE, "all replicas")
    docker_cli.docker("kill", running[0])
    state: dict[str, Any] = json.loads(docker_cli.docker("inspect", "--format", "{{json .State}}", running[0]))
    time.sleep(_PAUSE)
    return datetime.fromisoformat(state["FinishedAt"][:26] + "+00:00").timestamp()


def _containers() -> list[str]:
    return docker_cli.lines("ps", "--quiet", "--filter", f"label=cabestan.project={_PROJECT}")


def sort_failures(failures: list[tuple[float, str]], kills: list[float]) -> tuple[list[str], list[str]]:
    """Those of requests that were on their way when a replica died, and all others, with the seconds since then."""
    begun, beyond = [], []
    for sent, what in failures:
        if any(0 <= kill - sent < _LONGEST_ANSWER for kill in kills):
            begun.append(what)
        else:
            since = min((sent - kill for kill in kills if kill <= sent), default=0.0)
            beyond.append(f"{what} {since:.2f} s after a kill")
    return begun, beyond
