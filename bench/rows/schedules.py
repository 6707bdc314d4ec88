"""How late runs begin, with a thousand schedules, and how long as many take to be on record."""

import re
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bench import docker_cli, projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.time_limits import until
from cabestan.config import Settings
from cabestan.store.database import Database
from cabestan.store.schema import runs, schedules

SCHEDULES = 1000
_LEAD: int = Settings.model_fields["lead_seconds"].default
LIMIT = 1.0
_BARE_LIMIT = 1.3
_PROGRAM = ("bash", "-c", "date +%s.%N")
#: of the thousand so many are due in each minute, and start a container
_DUE = 4
_MINUTES = 3
_PROJECT = "bench/cron"
_ALL_WITHIN = 30.0


def measure(instance: Instance) -> list[Figure]:
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.by_the_clock(_DUE))
    made = api.post(f"/projects/{_PROJECT}/environments/staging/deployments")
    ended = api.ended(f"/deployments/{made['id']}", 120)
    if ended["status"] != "succeeded":
        raise RuntimeError(f"The deployment {ended['status']}: {ended['reason']}")
    return [*_containers(instance, api), _all_at_once(instance)]


def _containers(instance: Instance, api: Api) -> list[Figure]:
    """A few due in each minute, the others at other times."""
    instance.stop()
    _fill(instance, due=datetime.now(UTC) + timedelta(days=30))
    instance.start()
    began = time.time()
    ours = [s["id"] for s in api.get(f"/projects/{_PROJECT}/schedules")["items"] if s["service"].startswith("tick")]
    bare: list[float] = []
    for number in range(_MINUTES):
        _sleep_until_second(30)
        bare += _bare(instance.name, number)
        done = number + 1
        until(lambda done=done: all(len(_ended(api, key, began)) >= done for key in ours), 100, "the runs")  # type: ignore[misc]
    found = [run for key in ours for run in _ended(api, key, began)[:_MINUTES]]
    printed = [_first_line(api, run) - _moment(run["due_at"]) for run in found]
    if min(printed) < 0:
        raise RuntimeError(f"A run began {-min(printed)} s before it was due.")
    note = f"{len(found)} runs, {_DUE} at once; from the due time to the first line"
    return [
        Figure("run prints its first line, the latest", max(printed), "s", limit=LIMIT, note=note),
        side_by_side("run prints its first line", printed, bare, limit=_BARE_LIMIT, note="beside as many bare ones"),
    ]


def _sleep_until_second(second: int) -> None:
    time.sleep((second - time.time()) % 60)


def _bare(instance: str, number: int) -> list[float]:
    """As many jobs of the bare tool at once: seconds until each prints its first line."""
    began = time.time()
    names = [f"{instance}-bare-{number}-{index}" for index in range(_DUE)]
    for process in [_create(name, instance) for name in names]:
        process.wait(60)
    found: list[float] = []
    for name in names:
        until(lambda name=name: _printed(name) is not None, 60, name)  # type: ignore[misc]
        found.append((_printed(name) or 0.0) - began)
        docker_cli.docker("service", "rm", name)
    return found


def _create(name: str, instance: str) -> "subprocess.Popen[bytes]":
    label = f"{docker_cli.LABEL}={instance}"
    command = ["docker", "service", "create", "--detach", "--quiet", "--mode", "replicated-job", "--name", name]
    program = [
        "--label",
        label,
        "--container-label",
        label,
        "--network",
        _network(instance),
        "--init",
        "--restart-condition",
        "none",
        "--user",
        "1001",
        compose.IMAGE,
        *_PROGRAM,
    ]
    return subprocess.Popen([*command, *program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _network(instance: str) -> str:
    """Of the environment: a job there joins it, whoever starts it."""
    started = docker_cli.docker("network", "ls", "--filter", f"name={instance}-", "--format", "{{.Name}}")
    (found,) = (name for name in started.split() if "bench-cron-staging" in name)
    return found


def _printed(name: str) -> float | None:
    found = re.search(r"([0-9]{9,}\.[0-9]+)", docker_cli.docker("service", "logs", "--raw", name, check=False))
    return float(found[1]) if found else None


def _all_at_once(instance: Instance) -> Figure:
    """All due at the same moment: from when they are to be prepared until the last one has its run on record."""
    instance.stop()
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    before = _count(instance)
    _fill(instance, due=due)
    instance.start()
    deadline = time.time() + _ALL_WITHIN + 20
    while time.time() < deadline and _count(instance) < before + SCHEDULES - _DUE:
        time.sleep(0.01)
    recorded = time.time() - due.timestamp() + _LEAD
    note = f"from {_LEAD} s before they are due until each has its row, from which a run begins"
    return Figure("1,000 schedules due at once", recorded, "s", limit=LIMIT, note=note)


def _fill(instance: Instance, due: datetime) -> None:
    """Further schedules of the same release, all due then; what they would run, the release does not have."""
    with closing(Database(instance.database)) as database, database.writing() as tx:
        tx.execute(sa.delete(schedules).where(schedules.c.service.like("more%")))
        row: dict[str, Any] = dict(tx.execute(sa.select(schedules).limit(1)).one()._mapping)
        del row["id"]
        numbers = range(SCHEDULES - _DUE)
        tx.execute(sa.insert(schedules), [row | {"service": f"more{n}", "next_due": due} for n in numbers])


def _count(instance: Instance) -> int:
    with closing(Database(instance.database)) as database, database.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(runs)).scalar_one())


def _ended(api: Api, schedule: int, since: float) -> list[dict[str, Any]]:
    """Those that were due after a time, when the server ran, the newest first."""
    found = api.get(f"/schedules/{schedule}/runs")["items"]
    return [run for run in found if run["status"] == "succeeded" and run["due_at"] and _moment(run["due_at"]) > since]


def _first_line(api: Api, run: dict[str, Any]) -> float:
    """When it was printed, by the container's own clock, which is this machine's."""
    [line] = api.get(f"/runs/{run['id']}/log/lines")["lines"]
    return float(line["text"].strip())


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
