"""Where the page of a thing is."""

from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlencode

from cabestan.domain.action import ActionKind
from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.run import Run
from cabestan.domain.schedule import Schedule
from cabestan.domain.status import DeploymentStatus

_FOLDERS = {
    Deployment: "deployments",
    Instance: "databases",
    Pipeline: "pipelines",
    Run: "runs",
    Schedule: "schedules",
}


class Placed(Protocol):
    """What is on an environment."""

    @property
    def project(self) -> str: ...

    @property
    def environment(self) -> str: ...


def href(thing: Deployment | Environment | Instance | Pipeline | Run | Schedule) -> str:
    if isinstance(thing, Environment):
        return f"/{thing.project}/environments/{thing.name}"
    return f"/{thing.project}/{_FOLDERS[type(thing)]}/{thing.id}"


def environment_href(thing: Placed) -> str:
    """Of the environment that it is on."""
    return f"/{thing.project}/environments/{thing.environment}"


def asking_href(project: str, environment: str, release: int, back_to: int | None = None) -> str:
    """Where a plan is shown and a person asked: of deploying the release, or of putting it back as in `back_to`."""
    if back_to is None:
        return f"/{project}/deploy?{urlencode({'environment': environment, 'release': release})}"
    query = urlencode({"environment": environment, "release": release, "deployment": back_to})
    return f"/{project}/rollback?{query}"


def back_href(deployment: Deployment, serving: Collection[int | None]) -> str:
    """Of putting it back; empty where it put no release there, or serves."""
    put_there = deployment.kind is ActionKind.DEPLOY and deployment.status is DeploymentStatus.SUCCEEDED
    if not put_there or deployment.id in serving:
        return ""
    return asking_href(deployment.project, deployment.environment, deployment.release, deployment.id)
