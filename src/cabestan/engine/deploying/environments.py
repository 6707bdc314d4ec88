"""How an environment stands: what serves, what goes on, where it answers."""

from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.adapters.tasks import StackState
from cabestan.compose.stack import Stack
from cabestan.compose.volumes import volumes_of
from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment, EnvironmentDraft, free_label
from cabestan.domain.observed import Seen
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.target import LOCAL
from cabestan.engine.deploying.composing import url_of
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import hosts as host_store
from cabestan.store import observations as observation_store

#: of several open deployments, the one that tells most
_TELLING = (DeploymentStatus.RUNNING, DeploymentStatus.QUEUED, DeploymentStatus.WAITING)
_SHOWN_WHEN_LAST = (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Standing:
    """`current` serves now; `open` wait, are queued or run; `latest` is the newest of all."""

    environment: Environment
    url: str
    domain: str
    status: str
    current: Deployment | None
    open: tuple[Deployment, ...]
    latest: Deployment | None
    #: variables and secrets that were changed since the deployment that serves
    changed: tuple[str, ...] = ()
    #: how what serves does now; None where nothing was seen yet
    seen: Seen | None = None


def create(services: Services, tx: sa.Connection, project: Project, draft: EnvironmentDraft) -> None:
    """With a default domain that nobody else has, for ever."""
    label = free_label(project.name, draft.name, _taken_labels(services, tx, project))
    environment_store.create(tx, project, draft, LOCAL, services.settings.watch_seconds, label)


def _taken_labels(services: Services, tx: sa.Connection, project: Project) -> frozenset[str]:
    """What stands before the target's domain in the names of all environments and in those that others ask for."""
    end = f".{services.settings.target_domain}"
    every = environment_store.all_environments(tx)
    known = [environment.default_domain(services.settings.target_domain) for environment in every]
    known += [environment.domain for environment in every if environment.project_id != project.id]
    known += [claim.pattern for claim in host_store.claims(tx) if claim.project != project.name]
    return frozenset(name.removesuffix(end).rpartition(".")[2] for name in known if name.endswith(end))


def standing(services: Services, tx: sa.Connection, environment: Environment) -> Standing:
    key = environment.current_deployment_id
    current = store.get(tx, key) if key is not None else None
    present = store.open_in(tx, environment.id)
    latest = store.latest(tx, environment.id)
    return Standing(
        environment=environment,
        url=url_of(services, environment),
        domain=environment.full_domain(services.settings.target_domain),
        status=status_word(current, present, latest),
        current=current,
        open=present,
        latest=latest,
        changed=late.names if (late := levels.outdated(tx, environment)) else (),
        seen=observation_store.find(tx, environment.id),
    )


def status_word(current: Deployment | None, present: tuple[Deployment, ...], latest: Deployment | None) -> str:
    """`empty`, or the status of what is happening there, or how the last deployment ended."""
    for status in _TELLING:
        if any(deployment.status is status for deployment in present):
            return status
    if latest and latest.status in _SHOWN_WHEN_LAST:
        return latest.status
    return DeploymentStatus.SUCCEEDED if current else "empty"


def services_of(services: Services, environment: Environment) -> StackState:
    """Its services and tasks, as Swarm tells them now."""
    return services.cluster_of(environment).stacks.state(environment.stack_name(services.settings.instance))


def deployed_volumes(tx: sa.Connection, environment: Environment) -> frozenset[str]:
    """What the Compose file calls the volumes of what serves there, or is being deployed."""
    keys = [d.id for d in store.open_in(tx, environment.id)]
    keys += [environment.current_deployment_id] if environment.current_deployment_id is not None else []
    plans = (store.plan_of(tx, key) for key in keys)
    return frozenset(volume.key for plan in plans if plan for volume in volumes_of(Stack.from_yaml(plan.stack)))
