"""Starting a run: its service on the Swarm, when it is due or a little ahead of it.

Where it is started ahead, its container is there in time and holds its command until then: the engine takes a second to
start a few at once.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import structlog

from cabestan.adapters.stack_runs import Named, StackRun
from cabestan.compose.stack import Stack
from cabestan.compose.volumes import volumes_of
from cabestan.domain.run import Run, RunKind
from cabestan.engine import disk
from cabestan.engine.cluster import Cluster
from cabestan.engine.managed import use
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError, StepFailed
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import runs as store

_log = structlog.get_logger(__name__)
_SETTLE_SECONDS = 10.0
#: how often it is looked whether a run that waits for its time was canceled
_LOOK_SECONDS = 0.1


def prepare_ahead(services: Services, run_id: int, attempt: int, place: AbstractContextManager[object]) -> None:
    """Of a run that is not due yet: waits until it is, with its container there. `place` is held while that is started.

    None of it makes the run fail: what is not there in time, or did not live until then, is started as any other.
    """
    with services.database.reading() as tx:
        run = store.get(tx, run_id)
    if run.due_at is None or run.status.ended or not run.attempt == attempt == 1:
        return
    named = Named(services.settings.instance, run.id, attempt)
    if services.now() < run.due_at:
        with place:
            _try(named, lambda due=run.due_at: _start_held(services, run, due))  # type: ignore[misc]
        while services.now() < run.due_at and not cancel_asked(services, run):
            left = (run.due_at - services.now()).total_seconds()
            time.sleep(max(0.0, min(_LOOK_SECONDS, left)))
    _try(named, lambda due=run.due_at: _remove_if_ended(services.cluster_of(run), named, due))  # type: ignore[misc]


def _try(named: Named, work: Callable[[], None]) -> None:
    try:
        work()
    except CabestanError as error:
        _log.warning("a run begins without what was prepared for it", run=named.id, error=str(error))


def _start_held(services: Services, run: Run, due: datetime) -> None:
    wanted, prepare = _prepared(services, run)
    if services.cluster_of(run).runs.start_held(wanted, prepare, due):
        _settle(services, run, wanted)


def _remove_if_ended(cluster: Cluster, named: Named, due: datetime) -> None:
    """What ended while it was held has done nothing yet: it may be started once more."""
    if cluster.runs.ended_before(named, due):
        cluster.runs.remove(named)


def started(services: Services, run: Run) -> tuple[str, bool]:
    """Why it could not be started, or nothing; and whether its output comes in frames."""
    try:
        wanted, prepare = _prepared(services, run)
        if not cancel_asked(services, run):
            cluster = services.cluster_of(run)
            cluster.patiently(lambda: cluster.runs.start(wanted, prepare))
            _settle(services, run, wanted)
    except CabestanError as error:
        return str(error), True
    return "", not wanted.has_terminal


def _settle(services: Services, run: Run, wanted: StackRun) -> None:
    """Gives the engine a while to start it before it is asked to start others; what comes of it is seen later."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    given_up = lambda: time.monotonic() > deadline or cancel_asked(services, run)  # noqa: E731
    cluster = services.cluster_of(run)
    cluster.engine.patiently(lambda: cluster.runs.container(wanted, given_up=given_up), _SETTLE_SECONDS)


def _prepared(services: Services, run: Run) -> tuple[StackRun, Callable[[], None]]:
    """The service of the released stack with the secrets of its deployment, and what must be done before its start."""
    with services.database.reading() as tx:
        plan = deployment_store.plan_of(tx, run.deployment_id)
        if not plan:
            raise StepFailed(f"Deployment {run.deployment_id} has no plan.", "Deploy the release again.")
        environment = environment_store.by_id(tx, run.environment_id)
        name = environment.stack_name(services.settings.instance)
        passwords = use.passwords(services, tx, environment, plan)
        values, files = secrets.used_by(tx, services.vault, name, plan, passwords)
    stack = Stack.from_yaml(plan.stack)
    volumes = volumes_of(stack, {run.service})

    stacks = services.cluster_of(run).stacks

    def prepare() -> None:
        disk.check(services.settings)
        stacks.ensure_volumes(name, volumes, services.settings.apply_seconds)
        stacks.ensure_configs(name, stack.files)
        if files:
            stacks.ensure_secrets(name, files)

    instance = services.settings.instance
    return StackRun(instance, run.id, run.attempt, _service(stack, run), stack.document, values), prepare


def _service(stack: Stack, run: Run) -> Mapping[str, Any]:
    ending = stack.once if run.kind is RunKind.ONE_SHOT else stack.cron
    if run.service not in ending:
        raise StepFailed(f"Release {run.release} has no {run.service} to run.", "Deploy the release again.")
    found: Mapping[str, Any] = ending[run.service]
    return found


def cancel_asked(services: Services, run: Run) -> bool:
    with services.database.reading() as tx:
        of_deployment = run.kind is RunKind.ONE_SHOT and deployment_store.cancel_asked(tx, run.deployment_id)
        return of_deployment or bool(store.cancel_reason(tx, run.id))
