"""How far a push has come: its pipeline with its jobs, and the deployments that it leads to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cabestan.domain.pipeline import TOOK_ITS_PLACE
from cabestan.domain.status import DeploymentStatus, RunStatus


class Outcome(StrEnum):
    """How it ended, as far as nobody needs to do anything."""

    #: what is deployed by itself serves
    SERVING = "serving"
    #: there is no release: a job failed, or somebody canceled it
    PIPELINE_FAILED = "pipeline_failed"
    #: it does not serve: it failed, was rolled back or canceled
    DEPLOYMENT_FAILED = "deployment_failed"
    #: nothing comes by itself, and a deployment waits for a person
    WAITING = "waiting"
    #: a newer one took its place
    SUPERSEDED = "superseded"
    #: nothing comes of it by itself: there was nothing to build, or no environment takes its branch
    NOT_DEPLOYED = "not_deployed"


@dataclass(frozen=True)
class JobProgress:
    """`image` is what it pushed; `last_lines` are the end of the log of one that failed."""

    id: int
    name: str
    status: RunStatus
    reason: str = ""
    attempt: int = 1
    seconds: float | None = None
    image: str = ""
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepProgress:
    text: str
    status: str
    seconds: float | None = None


@dataclass(frozen=True)
class DeploymentProgress:
    id: int
    environment: str
    status: DeploymentStatus
    reason: str = ""
    url: str = ""
    steps: tuple[StepProgress, ...] = ()


@dataclass(frozen=True)
class Progress:
    """`deployments` are the newest of the release for each environment that it came to."""

    id: int
    branch: str
    commit: str
    url: str
    status: RunStatus
    reason: str = ""
    notes: tuple[str, ...] = ()
    jobs: tuple[JobProgress, ...] = ()
    release: int | None = None
    #: the release of a newer commit, for which this one is not deployed by itself
    newer_release: int | None = None
    deployments: tuple[DeploymentProgress, ...] = ()


#: of several deployments, what is told of all: the first of these that one has
_WORST = (Outcome.DEPLOYMENT_FAILED, Outcome.SUPERSEDED, Outcome.SERVING, Outcome.WAITING)
_OUTCOMES = {
    DeploymentStatus.WAITING: Outcome.WAITING,
    DeploymentStatus.SUCCEEDED: Outcome.SERVING,
    DeploymentStatus.FAILED: Outcome.DEPLOYMENT_FAILED,
    DeploymentStatus.ROLLED_BACK: Outcome.DEPLOYMENT_FAILED,
    DeploymentStatus.CANCELED: Outcome.DEPLOYMENT_FAILED,
    DeploymentStatus.SUPERSEDED: Outcome.SUPERSEDED,
}


def outcome(progress: Progress, environment: str | None = None) -> Outcome | None:
    """None while it goes on. With an environment, what became of it there alone."""
    if not progress.status.ended:
        return None
    if progress.status is RunStatus.SKIPPED:
        return Outcome.NOT_DEPLOYED
    if progress.status is not RunStatus.SUCCEEDED:
        return Outcome.SUPERSEDED if progress.reason.endswith(TOOK_ITS_PLACE) else Outcome.PIPELINE_FAILED
    wanted = [each for each in progress.deployments if environment in (None, each.environment)]
    return _of_deployments(wanted) if wanted else _of_none(progress)


def _of_deployments(deployments: Iterable[DeploymentProgress]) -> Outcome | None:
    found = {_OUTCOMES.get(each.status) for each in deployments}
    return None if None in found else next(each for each in _WORST if each in found)


def _of_none(progress: Progress) -> Outcome:
    return Outcome.SUPERSEDED if progress.newer_release else Outcome.NOT_DEPLOYED
