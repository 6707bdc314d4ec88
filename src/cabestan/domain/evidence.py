"""What a person should know of a release before it is deployed: how it fared elsewhere, and which commits it brings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.why import headline


@dataclass(frozen=True)
class Fared:
    """How the release did on an environment: in its newest deployment there, or never where there is none."""

    environment: str
    last: Deployment | None

    @property
    def sentence(self) -> str:
        """`It succeeded on staging.`, `It was never on staging.`, `It failed on staging: app does not come up: …`."""
        if not self.last:
            return f"It was never on {self.environment}."
        words = _WORDS.get(self.last.status, f"is {self.last.status} on {{}}").format(self.environment)
        why = headline(self.last.reason) if self.is_bad else ""
        return f"It {words}: {why}" if why else f"It {words}."

    @property
    def is_bad(self) -> bool:
        return self.last is not None and self.last.status in _BAD


_BAD = (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK)
_WORDS = {
    DeploymentStatus.SUCCEEDED: "succeeded on {}",
    DeploymentStatus.FAILED: "failed on {}",
    DeploymentStatus.ROLLED_BACK: "failed on {}, and was taken back there",
    DeploymentStatus.RUNNING: "is being deployed to {}",
    DeploymentStatus.WAITING: "waits for {}",
    DeploymentStatus.QUEUED: "is queued for {}",
    DeploymentStatus.SUPERSEDED: "was superseded on {} before it began",
    DeploymentStatus.CANCELED: "was canceled on {}",
}


@dataclass(frozen=True)
class BroughtCommit:
    commit: str
    title: str
    author: str
    committed_at: datetime | None


@dataclass(frozen=True)
class Commits:
    """The newest first; `total` may be more than are listed."""

    listed: tuple[BroughtCommit, ...] = ()
    total: int = 0


@dataclass(frozen=True)
class Evidence:
    """`brings` are commits that what serves lacks, `takes` those that it has and the release does not.

    `trouble` says why the commits are not known; empty where they are, and where nothing serves yet (`first`).
    """

    fared: tuple[Fared, ...]
    brings: Commits = Commits()
    takes: Commits = Commits()
    first: bool = False
    trouble: str = ""


def fared(
    release: Release, environment: Environment, places: Iterable[Environment], deployments: Iterable[Deployment]
) -> tuple[Fared, ...]:
    """In the order in which a release travels: wherever it was, and where it should have been before it comes here.

    `deployments` are all of the release. Here, only that it failed is told: that it waits is what is decided on.
    """
    newest = {one.environment_id: one for one in sorted(deployments, key=lambda one: one.id)}
    found = []
    for place in sorted(places, key=lambda one: one.position):
        told, here = Fared(place.name, newest.get(place.id)), place.id == environment.id
        due = place.position < environment.position and place.takes(release.branch, release.default_branch)
        if told.is_bad if here else told.last or due:
            found.append(told)
    return tuple(found)
