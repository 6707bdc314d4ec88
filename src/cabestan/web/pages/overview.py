"""How an environment stands, at a glance: what serves, and what goes on or went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.observed import Seen, shown
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.states import State, state

_TROUBLE = (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Cell:
    """`current` is deployed, and `seen` how it does; `pending` goes on, or went wrong last."""

    environment: Environment
    current: Deployment | None
    pending: tuple[Deployment, ...]
    seen: Seen | None

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        return (self.current, *self.pending) if self.current else self.pending

    @property
    def state(self) -> State:
        return state(shown(bool(self.current), self.seen))

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is not as it should be, service by service."""
        if not self.current or not self.seen:
            return ()
        if self.seen.trouble:
            return (self.seen.trouble,)
        return tuple(service.why.headline for service in self.seen.unwell)


def cell(environment: Environment, deployments: Iterable[Deployment], seen: Seen | None) -> Cell:
    """`deployments` has the one that is deployed there, the last one, and all that are open."""
    mine = tuple(deployments)
    current = next((d for d in mine if d.id == environment.current_deployment_id), None)
    pending = tuple(d for d in mine if not d.status.ended)
    last = max((d for d in mine if d.status.ended), key=lambda d: d.id, default=None)
    if not pending and last and last.status in _TROUBLE:
        pending = (last,)
    return Cell(environment, current, pending, seen)


def approvers(environment: Environment) -> str:
    """Who must act where a deployment waits there."""
    return " or ".join(environment.approvers) if environment.approvers else "a maintainer"
