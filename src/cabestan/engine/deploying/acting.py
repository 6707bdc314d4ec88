"""Restart, stop, start, scale, as people ask for them: each stands in the queue of its environment."""

import sqlalchemy as sa

from cabestan.compose.stack import Stack
from cabestan.domain.access import User
from cabestan.domain.action import ActionKind, Numbers
from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import actions
from cabestan.engine.deploying.composing import url_of
from cabestan.engine.deploying.deployments import refuse_while_deleted, start_steps, take_turn
from cabestan.engine.services import Services
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store


def act(
    services: Services,
    environment: Environment,
    kind: ActionKind,
    user: User,
    *,
    names: tuple[str, ...] = (),
    numbers: Numbers = (),
) -> Deployment:
    """To what serves, when it is its turn. Raises Forbidden, and what `actions.check` raises, to the person's face."""
    with services.database.writing() as tx:
        refuse_while_deleted(tx, environment)
        environment = environment_store.by_id(tx, environment.id)
        actions.require_rights(user, environment, kind)
        actions.check(environment, Stack.from_yaml(actions.serving(tx, environment).stack), kind, names, numbers)
        made = _asked(services, tx, environment, kind, user, names, numbers)
        store.set_plan(tx, made.id, actions.make_plan(services, tx, environment, made))
        begun = take_turn(services, tx, environment.id, fresh=made.id)
        made = store.get(tx, made.id)
    start_steps(services, begun)
    return made


def _asked(
    services: Services,
    tx: sa.Connection,
    environment: Environment,
    kind: ActionKind,
    user: User,
    names: tuple[str, ...],
    numbers: Numbers,
) -> Deployment:
    """Queued, of the release that serves."""
    return store.create(
        tx,
        project_id=environment.project_id,
        environment_id=environment.id,
        release_id=store.get(tx, environment.current_deployment_id or 0).release_id,
        status=DeploymentStatus.QUEUED,
        by=user.name,
        url=url_of(services, environment),
        restores_id=None,
        now=services.now(),
        kind=kind,
        services=names,
        replicas=numbers,
    )
