"""Deployments: one release being put on one environment, and the decisions about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cabestan.domain.action import ActionKind, Numbers, replicas_words
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus


class StepKind(StrEnum):
    """The steps of a deployment, in the order in which they are done."""

    #: all images are pulled on every node before anything is touched
    PULL = "pull"
    #: databases that the platform runs are made where they are missing, and must answer
    MANAGED = "managed"
    #: services that something which runs once needs, at their first deployment
    START = "start"
    #: a service that runs once (a migration) runs to its end
    RUN = "run"
    #: the stack is given to Swarm
    APPLY = "apply"
    #: all tasks must be healthy for the watch time
    WATCH = "watch"
    #: each route must answer through the router
    ROUTES = "routes"
    #: of a restart: Swarm replaces the containers of services, by their own rules for updates
    RESTART = "restart"
    #: services get another number of replicas
    SCALE = "scale"
    #: no container of a service is left
    STOP = "stop"
    #: only after a failure: the previous release's stack is applied again, and watched
    PUT_BACK = "put back"


@dataclass(frozen=True)
class Step:
    """One step of a plan: what is done to what, and how long it may take."""

    kind: StepKind
    subjects: tuple[str, ...]
    deadline_seconds: int

    @property
    def text(self) -> str:
        shown = ", ".join(_DIGEST.sub(r"@\1", subject) for subject in self.subjects)
        return _STEP_TEXT[self.kind].format(subjects=shown or "nothing")


#: the first digits of a digest tell images apart
_DIGEST = re.compile(r"@sha256:([0-9a-f]{12})[0-9a-f]{52}")


_STEP_TEXT = {
    StepKind.PULL: "Pull {subjects}",
    StepKind.START: "Start first, for others need it: {subjects}",
    StepKind.RUN: "Run {subjects}",
    StepKind.MANAGED: "Start managed services: {subjects}",
    StepKind.APPLY: "Apply the stack: {subjects}",
    StepKind.WATCH: "Watch until healthy: {subjects}",
    StepKind.ROUTES: "Check through the router: {subjects}",
    StepKind.RESTART: "Restart, one container after the other: {subjects}",
    StepKind.SCALE: "Set the number of replicas: {subjects}",
    StepKind.STOP: "Stop: {subjects}",
    StepKind.PUT_BACK: "Put the previous release back: {subjects}",
}


@dataclass(frozen=True)
class PlannedChange:
    """One line of the difference that a deployment makes, for people."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class Plan:
    """The steps of a deployment, the difference it makes, and the stack that does it (without any secret's value)."""

    steps: tuple[Step, ...]
    changes: tuple[PlannedChange, ...]
    warnings: tuple[str, ...]
    stack: str
    #: host names that the stack's routes claim, `*.example.org` among them
    hosts: tuple[str, ...]
    #: what is asked for through the router, to see that the routes answer
    probes: tuple[Probe, ...]
    services: tuple[str, ...]
    secrets: tuple[str, ...]
    #: name of each variable or secret, and the id of its version
    versions: tuple[tuple[str, int], ...]
    fingerprint: str
    #: the Compose files that were joined; of plans before there were several, none is told
    compose_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRun:
    """A step as it was done. `position` is its place in the plan, or the one behind the last."""

    position: int
    kind: StepKind
    text: str
    status: str
    detail: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Deployment:
    """One turn of an environment's queue: a release is put there, or something is done to the one that is there."""

    id: int
    project_id: int
    project: str
    environment_id: int
    environment: str
    release_id: int
    release: int
    commit: str
    status: DeploymentStatus
    reason: str
    by: str
    approved_by: str
    #: set where an earlier deployment's variables and secrets come back with its release
    restores_id: int | None
    #: what served when this one began: what is put back when it fails
    previous_id: int | None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    url: str = ""
    kind: ActionKind = ActionKind.DEPLOY
    #: that are restarted, stopped or started; all where none is named
    services: tuple[str, ...] = ()
    #: what services are scaled to
    replicas: Numbers = ()

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)

    @property
    def what(self) -> str:
        """`Release 12`, `Restart of web`, `Stop of everything`, `Scaling of web to 3 replicas`."""
        if self.kind is ActionKind.DEPLOY:
            return f"Release {self.release}"
        if self.kind is ActionKind.SCALE:
            return f"Scaling of {', '.join(_scaled(name, number) for name, number in self.replicas)}"
        return f"{self.kind.capitalize()} of {', '.join(self.services) or 'everything'}"


def _scaled(name: str, number: int | None) -> str:
    return f"{name} to {'its own number' if number is None else replicas_words(number)}"


@dataclass(frozen=True)
class Approval:
    """A person's word on a deployment; it binds to the fingerprint of the plan that was seen."""

    deployment_id: int
    by: str
    approved: bool
    comment: str
    fingerprint: str
    created_at: datetime
    #: why it no longer counts; empty while it does
    void: str = ""


@dataclass(frozen=True)
class Arrival:
    """What a new deployment begins as, and which open ones it takes the place of."""

    status: DeploymentStatus
    supersedes: tuple[int, ...]


def decide_arrival(
    environment: Environment, release: int, open_deployments: Iterable[Deployment], *, decided: bool = False
) -> Arrival:
    """A release arrives at an environment: the newest wins.

    Those that wait or are queued are superseded; a running one finishes, and the new one is queued behind it, and
    behind what else people have asked for.
    `decided`: whoever asked for it may approve here, so that nobody else needs to.
    """
    releases = (d for d in open_deployments if d.kind is ActionKind.DEPLOY)
    standing = [d for d in releases if d.status is not DeploymentStatus.RUNNING]
    waits = environment.trigger is Trigger.MANUAL and not decided
    status = DeploymentStatus.WAITING if waits else DeploymentStatus.QUEUED
    return Arrival(status, tuple(d.id for d in standing if d.release <= release or decided))


def next_to_run(open_deployments: Iterable[Deployment]) -> Deployment | None:
    """The queued one that may start: none while one runs. Of releases the newest, else what was asked for first."""
    present = list(open_deployments)
    if any(d.status is DeploymentStatus.RUNNING for d in present):
        return None
    queued = [d for d in present if d.status is DeploymentStatus.QUEUED]
    first = min(queued, key=lambda d: d.id, default=None)
    if first is None or first.kind is not ActionKind.DEPLOY:
        return first
    return max((d for d in queued if d.kind is ActionKind.DEPLOY), key=lambda d: d.id)
