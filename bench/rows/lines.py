"""A million lines of 90 bytes until a follower has the last one."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from bench import docker_cli, projects, script_jobs
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.rounds import rounds
from bench.time_limits import until
from cabestan.engine.building.pipelines import JOB_IMAGE

ROUNDS = 3
LIMIT = 1.2
PROJECT = "bench/lines"
COUNT = 1_000_000
#: 89 digits and the line's end; both followers are there when it begins, and the container stays until it is canceled
SCRIPT = f"sleep 3; seq -f '%089.0f' 1 {COUNT}; sleep 600"
_SECONDS = 90
_SECONDS_IN_ALL = 240


@dataclass
class Span:
    """When the first bytes and when the last line arrived."""

    first: float = 0.0
    last: float = 0.0
    lines: int = 0

    def take(self, lines: int) -> bool:
        """True when all are there."""
        self.first = self.first or time.monotonic()
        self.lines += lines
        if self.lines >= COUNT:
            self.last = time.monotonic()
        return self.last > 0


def measure(instance: Instance) -> list[Figure]:
    """On one container at the same time, and each alone on a container of its own."""
    prepare(instance.api)
    same: tuple[list[float], list[float]] = ([], [])
    alone: tuple[list[float], list[float]] = ([], [])
    for _ in rounds(ROUNDS, _SECONDS_IN_ALL):
        for into, (ours, bare) in ((same, _round(instance, True, True)), (alone, _apart(instance))):
            into[0].append(ours)
            into[1].append(bare)
    beside = "both follow the same container at the same time"
    apart = "one after the other, each the only follower of a container; without the platform for the bare tool"
    return [
        side_by_side("a million lines, one container", *same, limit=LIMIT, note=beside),
        side_by_side("a million lines, twin containers", *alone, limit=LIMIT, note=apart),
    ]


def prepare(api: Api) -> None:
    """The project, with a commit for its pipelines, where no other row has made it."""
    if any(project["name"] == PROJECT for project in api.get("/projects")["items"]):
        return
    projects.create(api, PROJECT)
    api.ended(f"/pipelines/{projects.push(api, PROJECT, compose.one_image())}")


def follow_once(instance: Instance) -> None:
    """A million lines through the platform, to one follower."""
    _round(instance, True, False)


def _apart(instance: Instance) -> tuple[float, float]:
    return _round(instance, True, False)[0], _bare_alone(instance.name)


def _round(instance: Instance, ours: bool, bare: bool) -> tuple[float, float]:
    """Seconds of each from the first bytes that either has."""
    api = instance.api
    pipeline, job = script_jobs.start(instance.database, api, PROJECT, SCRIPT)
    spans = (Span(), Span())
    try:
        threads = []
        if ours:
            threads.append(threading.Thread(target=_follow_api, args=(instance.api, job, spans[0]), daemon=True))
        if bare:
            container = _container(f"cabestan.job={job}", f"{docker_cli.LABEL}={instance.name}")
            threads.append(threading.Thread(target=_follow_bare, args=(container, spans[1]), daemon=True))
        return _timed(threads, spans)
    finally:
        api.cancel(pipeline)


def _bare_alone(instance: str) -> float:
    """The same script in the same kind of container, without the platform."""
    label = f"{docker_cli.LABEL}={instance}"
    name = f"{instance}-bare-lines"
    options = ("--tty", "--init", "--network", "host", "--log-opt", "max-size=2g", "--entrypoint", "/bin/bash")
    docker_cli.docker("run", "--detach", "--name", name, "--label", label, *options, JOB_IMAGE, "-c", SCRIPT)
    try:
        spans = (Span(), Span())
        return _timed([threading.Thread(target=_follow_bare, args=(name, spans[1]), daemon=True)], spans)[1]
    finally:
        docker_cli.docker("rm", "--force", "--volumes", name)


def _timed(threads: list[threading.Thread], spans: tuple[Span, Span]) -> tuple[float, float]:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
    begun = min(span.first for span in spans if span.first)
    if any(span.first and not span.last for span in spans):
        raise RuntimeError(f"Not all lines arrived: {[span.lines for span in spans]} of {COUNT}")
    return spans[0].last - begun, spans[1].last - begun


def _container(*labels: str) -> str:
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    return until(lambda: docker_cli.lines("ps", "--quiet", *filters), 30, "the job's container")[0]


def _follow_api(api: Api, job: int, span: Span) -> None:
    for text in api.follow(job):
        if span.take(text.count("\n")):
            return


def _follow_bare(container: str, span: Span) -> None:
    with subprocess.Popen(["docker", "logs", "--follow", container], stdout=subprocess.PIPE) as logs:
        for block in _blocks(logs):
            if span.take(block.count(b"\n")):
                break
        with suppress(ProcessLookupError):
            logs.terminate()


def _blocks(logs: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert logs.stdout
    while block := logs.stdout.read1(1 << 20):  # type: ignore[attr-defined]
        yield block
