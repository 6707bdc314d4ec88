"""How an environment stands, at a glance: what serves, and what goes on or went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.status import DeploymentStatus

_TROUBLE = (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Cell:
    """`current` serves; `pending` goes on, or went wrong last."""

    environment: Environment
    current: Deployment | None
    pending: tuple[Deployment, ...]


def cell(environment: Environment, deployments: Iterable[Deployment]) -> Cell:
    """`deployments` has the one that serves there, the last one, and all that are open."""
    mine = tuple(deployments)
    current = next((d for d in mine if d.id == environment.current_deployment_id), None)
    pending = tuple(d for d in mine if not d.status.ended)
    last = max((d for d in mine if d.status.ended), key=lambda d: d.id, default=None)
    if not pending and last and last.status in _TROUBLE:
        pending = (last,)
    return Cell(environment, current, pending)


def approvers(environment: Environment) -> str:
    """Who must act where a deployment waits there."""
    return " or ".join(environment.approvers) if environment.approvers else "a maintainer"
