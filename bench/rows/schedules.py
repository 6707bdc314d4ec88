"""How late runs begin, with a thousand schedules: from the due time to the first line that the container prints."""

import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bench import projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure
from bench.instance import Instance
from bench.time_limits import until
from cabestan.store.database import Database
from cabestan.store.schema import runs, schedules

SCHEDULES = 1000
LIMIT = 1.0
#: of the thousand so many are due in each minute, and start a container
_DUE = 4
_MINUTES = 3
_PROJECT = "bench/cron"
_EXPRESSION = "* * * * *"
_ALL_WITHIN = 30.0


def measure(instance: Instance) -> list[Figure]:
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.by_the_clock(_DUE))
    made = api.post(f"/projects/{_PROJECT}/environments/staging/deployments")
    ended = api.ended(f"/deployments/{made['id']}", 120)
    if ended["status"] != "succeeded":
        raise RuntimeError(f"The deployment {ended['status']}: {ended['reason']}")
    return [_containers(instance, api), _all_at_once(instance)]


def _containers(instance: Instance, api: Api) -> Figure:
    """A few due in each minute, the others at other times."""
    instance.stop()
    _fill(instance, due=datetime.now(UTC) + timedelta(days=30))
    instance.start()
    ours = [s["id"] for s in api.get(f"/projects/{_PROJECT}/schedules")["items"] if s["service"].startswith("tick")]
    until(lambda: all(len(_ended(api, key)) >= _MINUTES for key in ours), 60 * (_MINUTES + 2), "the runs")
    late = sorted(_lateness(api, run) for key in ours for run in _ended(api, key)[:_MINUTES])
    note = f"{len(late)} runs, the worst; their median {late[len(late) // 2]:.2f} s; to the first line"
    return Figure("run begins late, 1,000 schedules", late[-1], "s", limit=LIMIT, note=note)


def _all_at_once(instance: Instance) -> Figure:
    """All due at the same moment: until the last one has its run on record."""
    instance.stop()
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    before = _count(instance)
    _fill(instance, due=due)
    instance.start()
    deadline = time.time() + _ALL_WITHIN + 20
    while time.time() < deadline and _count(instance) < before + SCHEDULES - _DUE:
        time.sleep(0.01)
    recorded = time.time() - due.timestamp()
    note = "all due at the same second, from then until each has its row, from which a run begins"
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


def _ended(api: Api, schedule: int) -> list[dict[str, Any]]:
    """The newest first."""
    found = api.get(f"/schedules/{schedule}/runs")["items"]
    return [run for run in found if run["status"] == "succeeded" and run["cause"] == "due"]


def _lateness(api: Api, run: dict[str, Any]) -> float:
    """Seconds, by the container's own clock, which is this machine's."""
    [line] = api.get(f"/runs/{run['id']}/log/lines")["lines"]
    found = re.fullmatch(r"([0-9]+\.[0-9]+)", line["text"].strip())
    if not found:
        raise RuntimeError(f"the run printed {line['text']!r}")
    return float(found[1]) - datetime.fromisoformat(run["due_at"]).timestamp()
