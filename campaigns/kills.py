"""Pushes, deployments and runs on a platform of its own, whose server is killed at random moments and random steps.

What was accepted must end well, once, and leave nothing behind in Docker.
"""

import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import httpx
from bench.instance import Instance
from bench.time_limits import TooLate, until

from bench import docker_cli, projects
from cabestan.testing import STEPS
from campaigns.outcome import Outcome

_PROJECT = "camp/app"
_LINES = 50
#: how long after something was accepted a kill may come, and how long all may take to end
_LATEST_SECONDS, _END_SECONDS = 15.0, 240
_RESTARTS, _START_SECONDS = 20, 180
_ENDED = frozenset({"succeeded", "failed", "rolled_back", "superseded", "canceled", "skipped", "missed"})
#: those that a failure, a database, a first service or a restart and the like alone comes to
_ELSEWHERE = (
    *("release.fail", "deployment.put-back", "deployment.managed", "deployment.start"),
    *("deployment.restart", "deployment.scale", "deployment.stop"),
)
#: what each action comes to on its way, by the first word of the step's name
_WAYS = {"push": ("pipeline", "lint", "job", "release", "deployment"), "deploy": ("deployment",), "run": ("cron",)}
_APP = """\
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
_COMPOSE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: sh -c 'echo ran once; sleep 1'
    restart: "no"
  nightly:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    labels:
      sh.factory.cronjob.schedule: 30 2 29 2 *
      sh.factory.cronjob.command: "echo ran once; sleep 1"
"""


@dataclass(frozen=True)
class Kill:
    """After so many seconds, or at the boundary of a step."""

    seconds: float
    boundary: str = ""

    def __str__(self) -> str:
        return self.boundary or f"after {self.seconds:.1f} s"


@dataclass(frozen=True)
class Round:
    number: int
    action: str
    kill: Kill


def rounds(seed: int, count: int) -> tuple[Round, ...]:
    """The first is a push: what comes later needs something that serves."""
    return tuple(_round(random.Random(f"kills {seed} {number}"), number) for number in range(1, count + 1))


def _round(rng: random.Random, number: int) -> Round:
    action = rng.choice(["push", "deploy", "run"])
    action = "push" if number == 1 else action
    return Round(number, action, _kill(rng, steps_of(action)))


def steps_of(action: str) -> tuple[str, ...]:
    return tuple(step for step in STEPS if step.partition(".")[0] in _WAYS[action] and step not in _ELSEWHERE)


def _kill(rng: random.Random, steps: Sequence[str]) -> Kill:
    at_step, seconds = rng.random() < 0.5, rng.uniform(0, _LATEST_SECONDS)
    step, edge = rng.choice(steps), rng.choice(["before", "after"])
    return Kill(seconds, f"{step}:{edge}" if at_step else "")


def files(seed: int, number: int) -> dict[str, str]:
    """Of a commit whose build counts its lines, and is built anew for each number."""
    count = f"RUN echo round {seed}-{number} && for i in $(seq {_LINES}); do echo counting $i; done\n"
    dockerfile = (
        f'FROM cabestan/python:3.11\n{count}COPY app.py ./\nUSER 1001\nSTOPSIGNAL SIGKILL\nCMD ["python3", "app.py"]\n'
    )
    return {"app.py": _APP, "Dockerfile": dockerfile, "docker-compose.yml": _COMPOSE}


def counted(log: str) -> list[int]:
    """The numbers that such a build printed."""
    found = (line.partition(" counting ") for line in log.splitlines() if line.startswith("#"))
    return [int(number) for _, sign, number in found if sign and number.isdigit()]


def run(seed: int, count: int, folder: Path, name: str) -> Outcome:
    instance = Instance(name, containers=True, start_seconds=_START_SECONDS)
    campaign = _Campaign(instance, seed)
    done, found, began = 0, [], time.monotonic()
    try:
        print(f"Preparing a platform of its own, {name} ...", file=sys.stderr, flush=True)
        instance.prepare()
        campaign.start(Kill(0))
        projects.create(instance.api, _PROJECT)
        for one in rounds(seed, count):
            problems = campaign.play(one)
            done += 1
            print(
                f"  {one.number}: {one.action}, killed {one.kill}: {'; '.join(problems) or 'all well'}",
                file=sys.stderr,
                flush=True,
            )
            found += [f"round {one.number} ({one.action}, killed {one.kill}): {problem}" for problem in problems]
            if problems:
                shutil.copy(instance.folder / "server.log", folder / f"{seed}-{one.number}.log")
    finally:
        instance.remove()
    summary = f"{done} rounds, {campaign.kills} kills in {time.monotonic() - began:.0f} s, {len(found)} losses"
    return Outcome(summary, tuple(found))


def _went_well(thing: dict[str, Any]) -> bool:
    """One whose answer was lost in the kill was asked for twice: the second took its place, or waits and says why."""
    waits = thing["status"] == "waiting" and thing["reason"].startswith("The plan has changed")
    return waits or thing["status"] in ("succeeded", "superseded")


class _Campaign:
    """A platform with one project; each round does one thing to it, and kills its server."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self.kills = 0
        self._instance, self._seed = instance, seed
        self._markers = instance.folder / "kills"
        self._markers.mkdir()
        self._checkout = instance.folder / "checkout"
        self._checkout.mkdir()
        self._commits: dict[int, str] = {}

    def start(self, kill: Kill) -> None:
        """A server that may be killed while it starts is started again: its kill is remembered."""
        at = ["--kill-at", kill.boundary] if kill.boundary else []
        for _ in range(_RESTARTS):
            try:
                return self._instance.start(["cabestan.testing", "serve", "--kills", str(self._markers), *at])
            except RuntimeError:
                self.kills += 1
                self._instance.kill()
        raise RuntimeError(f"The server did not start {_RESTARTS} times: {self._instance.folder / 'server.log'}")

    def play(self, one: Round) -> list[str]:
        """What went wrong; empty where nothing did."""
        for marker in self._markers.iterdir():
            marker.unlink()
        self._instance.kill()
        self.start(one.kill)
        try:
            accepted = self._accepted(one)
            self._killed(one.kill)
            return self._judged(one, accepted)
        except TooLate as error:
            return [f"hang: {error}"]

    def _accepted(self, one: Round) -> str:
        """Asks until it is accepted: the server may be killed meanwhile. Gives the address of what was."""
        ask = {"push": self._push, "deploy": self._deploy, "run": self._run}[one.action]

        def look() -> str | None:
            try:
                return ask(one)
            except (httpx.TransportError, CalledProcessError, httpx.HTTPStatusError) as error:
                if isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500:
                    raise
                self._raised(one.kill)
                return None

        return until(look, _END_SECONDS, f"{one.action} is accepted", pause=0.5)

    def _push(self, one: Round) -> str | None:
        """Accepted where Git says so; its pipeline may come a little later."""
        if one.number not in self._commits:
            self._commits[one.number] = projects.commit(self._checkout, files(self._seed, one.number))
        projects.send(self._instance.api, _PROJECT, self._checkout)
        found = self._instance.api.get(f"/projects/{_PROJECT}/pipelines")["items"]
        mine = [pipeline["id"] for pipeline in found if pipeline["commit"] == self._commits[one.number]]
        return f"/pipelines/{mine[0]}" if mine else None

    def _deploy(self, _one: Round) -> str:
        """To production, what is newest: by an administrator, so at once."""
        made = self._instance.api.post(f"/projects/{_PROJECT}/environments/production/deployments")
        return f"/deployments/{made['id']}"

    def _run(self, _one: Round) -> str:
        items = self._instance.api.get(f"/projects/{_PROJECT}/schedules")["items"]
        if not items:
            return self._deploy(_one)
        made = self._instance.api.post(f"/schedules/{items[0]['id']}/run")
        return f"/runs/{made['id']}"

    def _raised(self, kill: Kill) -> None:
        """The server, where it was killed at its step."""
        if not self._instance.runs:
            self.kills += 1
            self._instance.kill()
            self.start(kill)

    def _killed(self, kill: Kill) -> None:
        if kill.boundary:
            return  # it kills itself, at its step
        time.sleep(kill.seconds)
        self._instance.kill()
        self.kills += 1
        self.start(kill)

    def _ended(self, kill: Kill) -> None:
        """Waits until nothing is under way any more, and starts the server again where it kills itself."""

        def look() -> bool:
            try:
                return self._is_quiet()
            except httpx.TransportError:
                self._raised(kill)
                return False

        until(look, _END_SECONDS, "all that was accepted ends", pause=0.5)

    def _judged(self, one: Round, accepted: str) -> list[str]:
        """Asked once more where the server kills itself meanwhile: its step may belong to nothing that was accepted."""

        def look() -> tuple[list[str]] | None:
            self._ended(one.kill)
            try:
                return ([*self._lost(one, accepted), *self._twice(), *self._left_over()],)
            except httpx.TransportError:
                self._raised(one.kill)
                return None

        [problems] = until(look, 2 * _END_SECONDS, "it is judged")
        return problems

    def _is_quiet(self) -> bool:
        return all(item["status"] in _ENDED | {"waiting"} for item in self._all())

    def _all(self) -> list[dict[str, Any]]:
        api = self._instance.api
        found = [
            *api.get(f"/projects/{_PROJECT}/pipelines")["items"],
            *api.get(f"/projects/{_PROJECT}/deployments")["items"],
        ]
        for schedule in api.get(f"/projects/{_PROJECT}/schedules")["items"]:
            found += api.get(f"/schedules/{schedule['id']}/runs")["items"]
        return list(found)

    def _lost(self, one: Round, accepted: str) -> list[str]:
        thing = self._instance.api.get(accepted)
        if one.action != "push":
            return [] if _went_well(thing) else [f"lost: {accepted} {thing['status']}: {thing['reason']}"]
        builds = [counted(self._instance.api.log(job["id"])) for job in thing["jobs"] if job["kind"] == "build"]
        whole = builds == [list(range(1, _LINES + 1))]
        lost = [] if thing["status"] == "succeeded" else [f"lost: {accepted} {thing['status']}: {thing['reason']}"]
        return [*lost, *([] if whole else [f"a log with gaps or doubles: {builds}"])]

    def _twice(self) -> list[str]:
        """A commit has one pipeline; a job and a run one attempt, for nothing took its container away."""
        api, found = self._instance.api, []
        pipelines = api.get(f"/projects/{_PROJECT}/pipelines")["items"]
        commits = [pipeline["commit"] for pipeline in pipelines]
        found += [f"twice: pipelines of {commit}" for commit in set(commits) if commits.count(commit) > 1]
        jobs = api.get(f"/pipelines/{pipelines[0]['id']}")["jobs"]
        found += [f"twice: job {job['id']}, attempt {job['attempt']}" for job in jobs if job["attempt"] > 1]
        for deployment in api.get(f"/projects/{_PROJECT}/deployments")["items"][:2]:
            for once in api.get(f"/deployments/{deployment['id']}")["runs"]:
                said = api.text(f"/runs/{once['id']}/log").count("ran once")
                if deployment["status"] == "succeeded" and said != 1:
                    found.append(f"ran {said} times: run {once['id']} of deployment {deployment['id']}")
        return found

    def _left_over(self) -> list[str]:
        """Of jobs and runs nothing stays in Docker; the engine needs a moment to take it away."""
        left: list[str] = []

        def look() -> bool:
            left[:] = [name for kind in ("service", "secret") for of in ("job", "run") for name in self._made(kind, of)]
            return not left

        try:
            until(look, 30, "Docker is tidy", pause=0.5)
        except TooLate:
            return [f"left over: {', '.join(left)}"]
        return []

    def _made(self, kind: str, of: str) -> list[str]:
        """Services or secrets that belong to jobs, or to runs."""
        labels = (f"label={docker_cli.LABEL}={self._instance.name}", f"label=cabestan.{of}")
        filters = [word for label in labels for word in ("--filter", label)]
        return docker_cli.lines(kind, "ls", "--format", "{{.Name}}", *filters)
