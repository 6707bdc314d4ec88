"""What ten services say, 20,000 lines a second, kept and followed, beside `docker service logs` into files."""

import os
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx

from bench import docker_cli, projects
from bench.apps import compose
from bench.figures import Figure
from bench.instance import Instance
from bench.time_limits import until

LIMIT = 1.2
_PROJECT = "bench/journal"
_SERVICES = 10
_LINES_PER_SECOND = 2000
_SECONDS = 15
_LINES = _LINES_PER_SECOND * _SECONDS
_AT_ONCE = 100
#: said once all is deployed and both follow: the file is put there then
_SAYING = f"""
import os, time
while not os.path.exists("/tmp/begin"):
    time.sleep(0.05)
began = time.monotonic()
for number in range(0, {_LINES}, {_AT_ONCE}):
    time.sleep(max(0, began + number / {_LINES_PER_SECOND} - time.monotonic()))
    lines = (f"{{place:07}} level=info method=GET path=/api/v1/items/{{place % 1000}} status=200 took=12ms"
             for place in range(number, number + {_AT_ONCE}))
    os.write(1, ("\\n".join(lines) + "\\n").encode())
time.sleep(3600)
"""
#: of each line in an event
_MARK = b'"number":'
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(instance: Instance) -> list[Figure]:
    """Both follow the same containers at the same time."""
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.saying(_SERVICES, _SAYING))
    deployment = api.post(f"/projects/{_PROJECT}/environments/staging/deployments")
    api.ended(f"/deployments/{deployment['id']}", 240)
    names = docker_cli.lines("service", "ls", "--filter", f"label=cabestan.project={_PROJECT}", "--format", "{{.Name}}")
    with ExitStack() as ending:
        engine = _engine()
        follower = _Follower(instance)
        ending.callback(follower.close)
        bare = [_bare(instance.folder / f"{name}.log", name) for name in names]
        for process in bare:
            ending.callback(process.wait)
            ending.callback(process.kill)
        time.sleep(3)
        before, engine_before = _processor(instance.pid), _processor(engine)
        _begin(names)
        wanted = _SERVICES * _LINES
        until(lambda: follower.lines >= wanted, _SECONDS + 60, "all lines")
        ours, of_engine = _processor(instance.pid) - before, _processor(engine) - engine_before
        until(lambda: _counted(instance.folder, names) >= wanted, 60, "all lines of the bare tool")
        against = sum(_processor(process.pid) for process in bare)
    return [_figure(ours, against, of_engine, (wanted, _kept(instance), follower.lines))]


def _figure(ours: float, against: float, of_engine: float, counts: tuple[int, int, int]) -> Figure:
    wanted, kept, followed = counts
    whole = wanted == kept == followed
    note = (
        f"{wanted} lines of {_SERVICES} services at {_SERVICES * _LINES_PER_SECOND} a second, "
        f"{'none lost, none twice' if whole else f'but {kept} kept and {followed} followed'}; "
        f"{ours / wanted * 1e6:.1f} µs of the server for each line; the engine took {of_engine:.1f} s for both"
    )
    name = "processor time for lines kept and followed"
    return Figure(name, ours, "s", against, LIMIT if whole else 0.0, note)


class _Follower:
    """Of the stream, as one who follows an environment."""

    def __init__(self, instance: Instance) -> None:
        self.lines = 0
        self._instance = instance
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._closed = threading.Event()
        self._thread.start()

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        url = f"{self._instance.url}/api/v1/projects/{_PROJECT}/environments/staging/logs/stream"
        headers = {"Authorization": f"Bearer {self._instance.token}"}
        with (
            suppress(httpx.TransportError),
            httpx.stream("GET", url, headers=headers, timeout=None, trust_env=False) as answer,
        ):
            rest = b""
            for block in answer.iter_bytes():
                *whole, rest = (rest + block).split(_MARK)
                self.lines += len(whole)
                if self._closed.is_set():
                    return


def _bare(file: Path, service: str) -> subprocess.Popen[bytes]:
    with file.open("wb") as into:
        return subprocess.Popen(["docker", "service", "logs", "--follow", service], stdout=into, stderr=into)


def _begin(names: list[str]) -> None:
    for name in names:
        (container,) = docker_cli.lines("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={name}")
        docker_cli.docker("exec", container, "touch", "/tmp/begin")


def _counted(folder: Path, names: list[str]) -> int:
    return sum((folder / f"{name}.log").read_bytes().count(b"\n") for name in names)


def _kept(instance: Instance) -> int:
    found = instance.api.get(f"/projects/{_PROJECT}/environments/staging/logs?lines=1")
    numbers: dict[str, Any] = found
    return int(numbers["next"]) - 1


def _engine() -> int:
    (pid,) = (int(pid) for pid in os.listdir("/proc") if pid.isdecimal() and _name(pid) == "dockerd")
    return pid


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _processor(pid: int) -> float:
    """Seconds, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
