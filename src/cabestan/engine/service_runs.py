"""Doing a run: a service of a stack is started once, followed to its end, and taken away.

The row in the database says how far it is, and the name of the Swarm service is made of its id and attempt: all of
it may be done again after a kill at any point, and starts nothing twice.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import structlog

from cabestan.adapters.stack_runs import Named, StackRun
from cabestan.compose.stack import Stack
from cabestan.compose.volumes import volumes_of
from cabestan.domain.pipeline import Verdict
from cabestan.domain.run import Run, RunKind, judge_run
from cabestan.domain.status import RunStatus
from cabestan.engine import secrets, space
from cabestan.engine.managed import use
from cabestan.engine.services import Services
from cabestan.engine.watching import Followed, follow_to_the_end
from cabestan.errors import CabestanError, StepFailed
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import runs as store

_log = structlog.get_logger(__name__)
_SETTLE_SECONDS = 10.0
_TRIED_AGAIN = "Attempt {attempt} of {attempts} failed: {reason}"


def log_id(run_id: int) -> str:
    return f"run-{run_id}"


def perform(
    services: Services, run_id: int, attempt: int, place: AbstractContextManager[object] = nullcontext()
) -> Run:
    """One attempt, from wherever it is to its end; the run as it stands then.

    Where it failed and may be tried again, its attempt is the next one, and it is running. `place` is held while it
    is being started.
    """
    run = _begun(services, run_id, attempt)
    if not run.status.ended and run.attempt == attempt:
        run = _record(services, run, attempt, _follow(services, run, place))
    _clean(services, Named(services.settings.instance, run_id, attempt))
    return run


def _begun(services: Services, run_id: int, attempt: int) -> Run:
    with services.database.writing() as tx:
        run = store.get(tx, run_id)
        if not run.status.ended and run.attempt == attempt and run.attempt_at is None:
            now = services.now()
            begun = {"status": RunStatus.RUNNING, "started_at": run.started_at or now, "attempt_at": now}
            store.update(tx, run_id, **begun)
            run = store.get(tx, run_id)
    publish(services, run)
    return run


def _follow(services: Services, run: Run, place: AbstractContextManager[object]) -> Verdict:
    named = Named(services.settings.instance, run.id, run.attempt)
    with services.database.reading() as tx:
        project = project_store.by_id(tx, run.project_id)
        redactor = secrets.redactor(tx, services.vault, project)
    with place:
        failure, framed = _started(services, run)
    what = Followed(
        run=named,
        containers=services.runs,
        log=log_id(run.id),
        key=str(run.attempt),
        redactor=redactor,
        judge=judge_run,
        cancel_asked=lambda: cancel_asked(services, run),
        seconds_left=_seconds_left(services, run),
        too_late=f"Not done after {run.seconds} s, so it was stopped. Allow it more, or let it do less.",
        framed=framed,
    )
    return follow_to_the_end(services, what, failure)


def _started(services: Services, run: Run) -> tuple[str, bool]:
    """Why it could not be started, or nothing; and whether its output comes in frames."""
    try:
        started, prepare = _prepared(services, run)
        if not cancel_asked(services, run):
            services.engine.patiently(services.settings.engine_seconds, lambda: services.runs.start(started, prepare))
            _settle(services, run, started)
    except CabestanError as error:
        return str(error), True
    return "", not started.has_terminal


def _settle(services: Services, run: Run, started: StackRun) -> None:
    """Gives the engine a while to start it before it is asked to start others; what comes of it is seen later."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    given_up = lambda: time.monotonic() > deadline or cancel_asked(services, run)  # noqa: E731
    services.engine.patiently(_SETTLE_SECONDS, lambda: services.runs.container(started, given_up=given_up))


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

    def prepare() -> None:
        space.check(services.settings)
        services.stacks.ensure_volumes(name, volumes, services.settings.apply_seconds)
        if files:
            services.stacks.ensure_secrets(name, files)

    instance = services.settings.instance
    return StackRun(instance, run.id, run.attempt, _service(stack, run), stack.document, values), prepare


def _service(stack: Stack, run: Run) -> Mapping[str, Any]:
    ending = stack.once if run.kind is RunKind.ONE_SHOT else stack.cron
    if run.service not in ending:
        raise StepFailed(f"Release {run.release} has no {run.service} to run.", "Deploy the release again.")
    found: Mapping[str, Any] = ending[run.service]
    return found


def _record(services: Services, run: Run, attempt: int, verdict: Verdict) -> Run:
    """Ends it as the verdict has it, or prepares its next attempt."""
    with services.database.writing() as tx:
        reason = verdict.reason
        if verdict.status is RunStatus.CANCELED:
            reason = store.cancel_reason(tx, run.id) or reason
        if verdict.status is RunStatus.FAILED and attempt < run.attempts:
            told = _TRIED_AGAIN.format(attempt=attempt, attempts=run.attempts, reason=reason)
            store.update(tx, run.id, attempt=attempt + 1, attempt_at=None, reason=told)
        else:
            store.update(tx, run.id, status=verdict.status, reason=reason, finished_at=services.now())
        ended = store.get(tx, run.id)
    services.hub.advanced(log_id(run.id))
    publish(services, ended)
    return ended


def end_lost(services: Services, run: Run, reason: str) -> None:
    """Ends one that nobody is at any more, and what may still run of it: the next one must not run beside it."""
    _clean(services, Named(services.settings.instance, run.id, run.attempt))
    with services.database.writing() as tx:
        if not store.get(tx, run.id).status.ended:
            store.update(tx, run.id, status=RunStatus.FAILED, reason=reason, finished_at=services.now())
    services.hub.advanced(log_id(run.id))
    publish(services, run)


def _clean(services: Services, named: Named) -> None:
    try:
        services.engine.patiently(services.settings.engine_seconds, lambda: services.runs.remove(named))
    except CabestanError as error:
        _log.warning("what a run left is removed at the next start", run=named.id, error=str(error))


def cancel_asked(services: Services, run: Run) -> bool:
    with services.database.reading() as tx:
        of_deployment = run.kind is RunKind.ONE_SHOT and deployment_store.cancel_asked(tx, run.deployment_id)
        return of_deployment or bool(store.cancel_reason(tx, run.id))


def stop_soon(services: Services, run: Run) -> None:
    """Stops its container in the background; where that fails, the one who follows it tries again."""
    named = Named(services.settings.instance, run.id, run.attempt)

    def stop() -> None:
        with suppress(CabestanError):
            services.runs.stop(named)

    threading.Thread(target=stop, name=f"stop-run-{run.id}", daemon=True).start()


def remove_left_over(services: Services) -> None:
    """Services and containers of runs that do not go on (any more)."""
    for named in services.runs.left_over():
        with services.database.reading() as tx:
            open_ids = store.open_ids(tx)
            going = named.id in open_ids and store.get(tx, named.id).attempt == named.attempt
        if not going:
            services.runs.remove(named)


def publish(services: Services, run: Run) -> None:
    whole = f"deployment:{run.deployment_id}" if run.kind is RunKind.ONE_SHOT else f"schedules:{run.project}"
    services.changes.publish(run.project, f"run:{run.id}", whole)


def _seconds_left(services: Services, run: Run) -> float:
    passed = (services.now() - run.attempt_at).total_seconds() if run.attempt_at else 0
    return max(0.0, run.seconds - passed)


def one_shot(services: Services, deployment_id: int, service: str) -> Run:
    """Runs a service of a deployment to its end, once, however often it is called; the run as it ended."""
    with services.database.writing() as tx:
        run = store.one_shot(tx, deployment_id, service)
        if not run:
            deployment = deployment_store.get(tx, deployment_id)
            environment = environment_store.by_id(tx, deployment.environment_id)
            run = store.add_one_shot(
                tx,
                project_id=deployment.project_id,
                environment_id=environment.id,
                deployment_id=deployment_id,
                service=service,
                by=deployment.by,
                seconds=services.settings.run_seconds,
                now=services.now(),
            )
    return perform(services, run.id, run.attempt)
