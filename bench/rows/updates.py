"""Requests that fail while rolling updates are going on, one after the other, under constant load."""

import time
from typing import Any

from bench import docker_cli, projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure
from bench.instance import Instance
from bench.under_load import loaded

UPDATES = 10
RATE = 250
_PROJECT = "bench/web"
_DEADLINE = 120
_WATCH_SECONDS = 1


def measure(instance: Instance) -> list[Figure]:
    """An application that ends gracefully, and one that dies at once."""
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.one_service())
    return [_updates(instance, api, mode) for mode in ("graceful", "abrupt")]


def _updates(instance: Instance, api: Api, mode: str) -> Figure:
    at = f"/projects/{_PROJECT}/environments/{mode}"
    api.put(at, trigger="manual", watch_seconds=_WATCH_SECONDS)
    api.put(f"/projects/{_PROJECT}/variables/MODE", value=mode, environment=mode)
    _update(api, at, mode, 0)
    began = time.monotonic()
    with loaded(instance, api.get(at)["domain"], RATE) as report:
        for number in range(1, UPDATES + 1):
            _update(api, at, mode, number)
    took = (time.monotonic() - began) / UPDATES
    docker_cli.remove_services(f"label=cabestan.environment={mode}")
    return _figure(mode, report, took)


def _update(api: Api, at: str, mode: str, number: int) -> None:
    """The same release with another variable, so that every task is replaced."""
    api.put(f"/projects/{_PROJECT}/variables/ROUND", value=f"{number}", environment=mode)
    made = api.post(f"{at}/deployments")
    ended = api.ended(f"/deployments/{made['id']}", _DEADLINE)
    if ended["status"] != "succeeded":
        raise RuntimeError(f"Update {number} {ended['status']}: {ended['reason']}")


def _figure(mode: str, report: dict[str, Any], took: float) -> Figure:
    note = (
        f"{report['sent']} requests at {report['rate']:.0f}/s during {UPDATES} updates of {took:.1f} s each; "
        f"answered in {_ms(report['half'])} (half), {_ms(report['most'])} (99 %), {_ms(report['slowest'])} (slowest)"
    )
    if report["failures"]:
        note += f"; the first failures: {'; '.join(what for _, what in report['failures'][:5])}"
    return Figure(f"requests failed in updates, {mode}", report["failed"], "", limit=0, note=note)


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"
