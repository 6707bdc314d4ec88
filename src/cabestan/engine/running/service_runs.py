"""Doing a run: a service of a stack is started once, followed to its end, and taken away.

The row in the database says how far it is, and the name of the Swarm service is made of its id and attempt: all of
it may be done again after a kill at any point, and starts nothing twice.
"""

from contextlib import AbstractContextManager, nullcontext

from cabestan.adapters.stack_runs import Named
from cabestan.domain.outbox import Subject
from cabestan.domain.outcome import Verdict, judge_run
from cabestan.domain.run import Run
from cabestan.domain.status import RunStatus
from cabestan.engine.cluster import Cluster
from cabestan.engine.running import finishing, run_starts
from cabestan.engine.running.following import Followed, follow_to_the_end
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import runs as store
from cabestan.store.transitions import touched, transition

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
    run_starts.prepare_ahead(services, run_id, attempt, place)
    run = _begun(services, run_id, attempt)
    if not run.status.ended and run.attempt == attempt:
        run = _record(services, run, attempt, _follow(services, run, place))
    _clean(services.cluster_of(run), Named(services.settings.instance, run_id, attempt))
    return run


def _begun(services: Services, run_id: int, attempt: int) -> Run:
    with services.database.writing() as tx:
        run = store.get(tx, run_id)
        if not run.status.ended and run.attempt == attempt and run.attempt_at is None:
            now = services.now()
            begun = {"started_at": run.started_at or now, "attempt_at": now}
            transition(tx, Subject.RUN, run_id, RunStatus.RUNNING, now, **begun)
            run = store.get(tx, run_id)
    return run


def _follow(services: Services, run: Run, place: AbstractContextManager[object]) -> Verdict:
    named = Named(services.settings.instance, run.id, run.attempt)
    with services.database.reading() as tx:
        project = project_store.by_id(tx, run.project_id)
        redactor = secrets.redactor(tx, services.vault, project)
    with place:
        failure, framed = run_starts.started(services, run)
    cluster = services.cluster_of(run)
    what = Followed(
        run=named,
        cluster=cluster,
        containers=cluster.runs,
        log=log_id(run.id),
        key=str(run.attempt),
        redactor=redactor,
        judge=judge_run,
        cancel_asked=lambda: run_starts.cancel_asked(services, run),
        seconds_left=finishing.seconds_left(run.attempt_at, run.seconds, services.now()),
        too_late=f"Not done after {run.seconds} s, so it was stopped. Allow it more, or let it do less.",
        framed=framed,
        collected=True,
    )
    return follow_to_the_end(services, what, failure)


def _record(services: Services, run: Run, attempt: int, verdict: Verdict) -> Run:
    """Ends it as the verdict has it, or prepares its next attempt."""
    now = services.now()
    with services.database.writing() as tx:
        reason = verdict.reason
        if verdict.status is RunStatus.CANCELED:
            reason = store.cancel_reason(tx, run.id) or reason
        if verdict.status is RunStatus.FAILED and attempt < run.attempts:
            told = _TRIED_AGAIN.format(attempt=attempt, attempts=run.attempts, reason=reason)
            store.update(tx, run.id, attempt=attempt + 1, attempt_at=None, reason=told)
            touched(tx, Subject.RUN, run.id, now)
        else:
            transition(tx, Subject.RUN, run.id, verdict.status, now, reason=reason, finished_at=now)
        ended = store.get(tx, run.id)
    services.hub.advanced(log_id(run.id))
    return ended


def end_lost(services: Services, run: Run, reason: str) -> None:
    """Ends one that nobody is at any more, and what may still run of it: the next one must not run beside it."""
    _clean(services.cluster_of(run), Named(services.settings.instance, run.id, run.attempt))
    now = services.now()
    with services.database.writing() as tx:
        if not store.get(tx, run.id).status.ended:
            transition(tx, Subject.RUN, run.id, RunStatus.FAILED, now, reason=reason, finished_at=now)
    services.hub.advanced(log_id(run.id))


def _clean(cluster: Cluster, named: Named) -> None:
    finishing.take_away(cluster, cluster.runs, named)


def stop_soon(services: Services, run: Run) -> None:
    """In the background; where that fails, the one who follows it tries again."""
    finishing.stop_soon(services.cluster_of(run).runs, Named(services.settings.instance, run.id, run.attempt))


def remove_left_over(services: Services) -> None:
    """Services and containers of runs that do not go on (any more)."""
    for runs in (cluster.runs for cluster in services.clusters.values()):
        for named in runs.left_over():
            with services.database.reading() as tx:
                open_ids = store.open_ids(tx)
                going = named.id in open_ids and store.get(tx, named.id).attempt == named.attempt
            if not going:
                runs.remove(named)


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
