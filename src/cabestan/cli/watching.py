"""Watching what a push sets off until it is over, across restarts of the server."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.failures import Unreachable, Unsuccessful
from cabestan.domain.narration import told
from cabestan.domain.progress import DeploymentProgress, JobProgress, Outcome, Progress, StepProgress, outcome
from cabestan.domain.status import DeploymentStatus, RunStatus

_POLL_SECONDS = 0.5
#: how long a server may be away, restarting for example, before watching gives up
_AWAY_SECONDS = 60.0
#: how long what was just pushed may take to have its pipeline
_APPEAR_SECONDS = 30.0


@dataclass
class Watcher:
    """`tell` gets each line, `warn` what is not of the work itself; `end` is of the monotonic clock."""

    api: Api
    tell: Callable[[str], None]
    warn: Callable[[str], None]
    end: float | None = None
    #: when the server was last there, and whether it was told since that it is not
    heard: float = 0.0
    told_away: bool = False

    def pipeline_of(self, project: str, commit: str, branch: str) -> int:
        """The newest of the commit, of that branch where there is one; waits for it a while. Raises Unsuccessful."""
        self.heard = time.monotonic()
        give_up, waits = time.monotonic() + _APPEAR_SECONDS, False
        while True:
            found = self._asked(address("projects", project, "pipelines"), commit=commit)
            items = found["items"] if found else []
            if items:
                return int(next((item for item in items if item["branch"] == branch), items[0])["id"])
            if self._late(give_up):
                raise Unsuccessful(f"{project} has no pipeline for the commit {commit[:12]}.", "Push it: git push")
            if not waits:
                self.warn(f"Waiting for the pipeline of {commit[:12]} …")
            waits = True
            time.sleep(_POLL_SECONDS)

    def watch(self, pipeline: int, environment: str | None) -> tuple[Thing, Outcome | None]:
        """How far it came, as the API gives it, and how it ended; None where the time was over before."""
        self.heard, former = time.monotonic(), None
        thing: Thing = {}
        while True:
            if now := self._asked(address("pipelines", pipeline, "progress")):
                thing, progress = now, progress_from(now)
                for line in told(former, progress):
                    self.tell(line)
                former = progress
                if ended := outcome(progress, environment):
                    return thing, ended
            if self._late(self.end):
                return thing, None
            time.sleep(_POLL_SECONDS)

    def _asked(self, path: str, **query: str) -> Thing | None:
        """None where the server is away just now. Raises Unreachable when it has been for a minute."""
        try:
            found: Thing = self.api.get(path, **query)
        except Unreachable as error:
            if time.monotonic() - self.heard >= _AWAY_SECONDS:
                raise
            if not self.told_away:
                self.warn(f"{error.message} Trying on for a minute.")
            self.told_away = True
            return None
        self.heard, self.told_away = time.monotonic(), False
        return found

    def _late(self, end: float | None) -> bool:
        return any(time.monotonic() >= each for each in (end, self.end) if each is not None)


def progress_from(thing: Thing) -> Progress:
    """Out of the API's answer."""
    same = ("id", "branch", "commit", "url", "reason", "release", "newer_release")
    return Progress(
        **{name: thing[name] for name in same},
        status=RunStatus(thing["status"]),
        notes=tuple(thing["notes"]),
        jobs=tuple(_job(job) for job in thing["jobs"]),
        deployments=tuple(_deployment(deployment) for deployment in thing["deployments"]),
    )


def _job(thing: Thing) -> JobProgress:
    same = ("id", "name", "reason", "attempt", "seconds", "image")
    return JobProgress(
        **{name: thing[name] for name in same},
        status=RunStatus(thing["status"]),
        last_lines=tuple(thing["last_lines"]),
    )


def _deployment(thing: Thing) -> DeploymentProgress:
    return DeploymentProgress(
        **{name: thing[name] for name in ("id", "environment", "reason", "url")},
        status=DeploymentStatus(thing["status"]),
        steps=tuple(StepProgress(step["text"], step["status"], step["seconds"]) for step in thing["steps"]),
    )
