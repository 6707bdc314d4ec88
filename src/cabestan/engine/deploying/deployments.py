"""Deployments as people and pipelines ask for them: they arrive, wait, are approved or rejected, get their turn."""

import sqlalchemy as sa

from cabestan.domain.access import User, may_approve
from cabestan.domain.action import ActionKind
from cabestan.domain.deployment import Approval, Deployment, Plan, decide_arrival, next_to_run
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.outbox import Subject
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import actions
from cabestan.engine.deploying.composing import Wanted, url_of
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.names import hosts
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError, Conflict, Forbidden, NotFound
from cabestan.store import deletions as deletion_store
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.store.transitions import touched, transition

_COMMENT_LENGTH = 2000


def arrive(
    services: Services,
    tx: sa.Connection,
    wanted: Wanted,
    by: str,
    *,
    decided: bool = False,
    plan: Plan | None = None,
) -> Deployment:
    """A release comes to an environment: a deployment is made, planned, and takes the place of those that wait.

    `decided` says that a person wants it who may approve here; `plan` is one that was made in this transaction. One
    that cannot be planned is recorded as failed, with the reason. Call `take_turn` in the same transaction, or
    `give_turn` after it.
    """
    environment = wanted.environment
    arrival = decide_arrival(environment, wanted.release.number, store.open_in(tx, environment.id), decided=decided)
    deployment = store.create(
        tx,
        project_id=environment.project_id,
        environment_id=environment.id,
        release_id=wanted.release.id,
        status=arrival.status,
        by=by,
        url=url_of(services, environment),
        restores_id=wanted.restores,
        now=services.now(),
    )
    for former in arrival.supersedes:
        _supersede(services, tx, former, deployment)
    if plan:
        store.set_plan(tx, deployment.id, plan)
    else:
        _plan_or_fail(services, tx, wanted, deployment.id)
    return store.get(tx, deployment.id)


def deploy(
    services: Services,
    environment: Environment,
    release: Release,
    user: User,
    *,
    restores: int | None = None,
    seen: str = "",
) -> Deployment:
    """At a person's wish: at once where that person may approve here, for nobody else needs to.

    Nobody is recorded as having approved it. Where a plan was seen, exactly that one: raises Conflict when it is
    another one by now.
    """
    decided = may_approve(user, environment.project, environment.approvers)
    with services.database.writing() as tx:
        refuse_while_deleted(tx, environment)
        wanted = Wanted(release, environment_store.by_id(tx, environment.id), restores)
        plan = make_plan(services, tx, wanted)  # refuses now, to the person's face
        if seen and plan.fingerprint != seen:
            raise Conflict("The plan has changed since you looked at it.", "Look at it again, then deploy.")
        deployment = arrive(services, tx, wanted, user.name, decided=decided, plan=plan)
        begun = take_turn(services, tx, environment.id, fresh=deployment.id)
    start_steps(services, begun)
    return deployment


def refuse_while_deleted(tx: sa.Connection, environment: Environment) -> None:
    """Raises Conflict for what would come to an environment that is being taken away, or a volume of it."""
    if deletion := deletion_store.open_of(tx, environment.project_id, environment.id):
        raise deletion_store.under_way(deletion)


def roll_back(
    services: Services,
    environment: Environment,
    number: int | None,
    user: User,
    *,
    seen: str = "",
    deployment_id: int | None = None,
) -> Deployment:
    """To the release before the present one, or the one named: with the variables and secrets that it ran with."""
    with services.database.reading() as tx:
        back = way_back(tx, environment, number, deployment_id)
    return deploy(services, environment, back.release, user, restores=back.restores, seen=seen)


def way_back(
    tx: sa.Connection, environment: Environment, number: int | None, deployment_id: int | None = None
) -> Wanted:
    """What a rollback deploys: a release as it ran last, or in one deployment. Raises NotFound where it never ran."""
    earlier = store.succeeded_in(tx, environment.id)
    current = next((d for d in earlier if d.id == environment.current_deployment_id), None)
    asked = (d for d in earlier if deployment_id in (None, d.id))
    target = next((d for d in asked if _may_go_back_to(d, current, number)), None)
    if not target:
        wish = f"release {number}" if number is not None else "a release before the present one"
        raise NotFound(
            f"On {environment.name}, {environment.project} never ran {wish}, so there is no way back to it.",
            f"`cabestan deployment list -p {environment.project} -e {environment.name}` shows what ran.",
        )
    return Wanted(release_store.by_id(tx, target.release_id), environment, target.id)


def _may_go_back_to(candidate: Deployment, current: Deployment | None, number: int | None) -> bool:
    if number is not None:
        return candidate.release == number
    return current is None or candidate.release < current.release


def approve(services: Services, deployment_id: int, user: User, seen: str, comment: str) -> Deployment:
    """Approves exactly the plan that was seen. Raises Conflict when it is another one by now."""
    with services.database.writing() as tx:
        deployment, environment = _to_be_judged(tx, deployment_id, user)
        plan = refresh_plan(services, tx, deployment)
        if plan and plan.fingerprint == seen:
            now = services.now()
            store.add_approval(tx, Approval(deployment_id, user.name, True, comment[:_COMMENT_LENGTH], seen, now))
            approved_by = {"approved_by": user.name, "reason": ""}
            transition(tx, Subject.DEPLOYMENT, deployment_id, DeploymentStatus.QUEUED, now, **approved_by)
        approved = store.get(tx, deployment_id)
        begun = take_turn(services, tx, environment.id, fresh=deployment_id)
    start_steps(services, begun)
    if approved.status is DeploymentStatus.FAILED:
        raise Conflict(
            f"Deployment {deployment_id} cannot be done any more: {approved.reason}", "Deploy a newer release."
        )
    if approved.status is DeploymentStatus.WAITING:
        raise Conflict(
            f"The plan of deployment {deployment_id} has changed since you looked at it.",
            f"Look at it again (`cabestan deployment show {deployment_id}`), then approve.",
        )
    return approved


def reject(services: Services, deployment_id: int, user: User, comment: str) -> Deployment:
    with services.database.writing() as tx:
        deployment, _ = _to_be_judged(tx, deployment_id, user)
        said = comment[:_COMMENT_LENGTH]
        store.add_approval(tx, Approval(deployment.id, user.name, False, said, "", services.now()))
        reason = f"Rejected by {user.name}" + (f": {said}" if said else ".")
        _end(services, tx, deployment.id, DeploymentStatus.CANCELED, reason)
        return store.get(tx, deployment_id)


def cancel(services: Services, deployment_id: int, by: str) -> Deployment:
    """One that runs is stopped at its next step, and the previous release put back."""
    with services.database.writing() as tx:
        deployment = store.get(tx, deployment_id)
        if deployment.status.ended:
            raise Conflict(
                f"Deployment {deployment_id} has ended already ({deployment.status}).", "Nothing is left to do."
            )
        if deployment.status is DeploymentStatus.RUNNING:
            store.update(tx, deployment_id, cancel=True)
            touched(tx, Subject.DEPLOYMENT, deployment_id, services.now())
        else:
            _end(services, tx, deployment_id, DeploymentStatus.CANCELED, f"Canceled by {by}.")
        canceled = store.get(tx, deployment_id)
        going = [run for run in run_store.of_deployment(tx, deployment_id) if not run.status.ended]
    for run in going:
        service_runs.stop_soon(services, run)
    return canceled


def give_turn(services: Services, environment_id: int) -> None:
    """Gives the environment to the deployment whose turn it is, if there is one, and starts the steps of who has it.

    May be called at any time, any number of times: the turn is taken in one transaction, by one deployment.
    """
    with services.database.writing() as tx:
        begun = take_turn(services, tx, environment_id)
    start_steps(services, begun)


def take_turn(services: Services, tx: sa.Connection, environment_id: int, *, fresh: int | None = None) -> int | None:
    """Marks the deployment whose turn it is as running, and tells which one runs, for `start_steps` afterwards.

    The plan of `fresh` was made in this transaction and cannot have changed; that of any other one is made anew.
    """
    while (chosen := next_to_run(store.open_in(tx, environment_id))) and not _is_deleted(tx, environment_id):
        plan = store.plan_of(tx, chosen.id) if chosen.id == fresh else refresh_plan(services, tx, chosen)
        if plan and _takes_its_turn(services, tx, chosen, plan):
            return chosen.id
    return next((d.id for d in store.open_in(tx, environment_id) if d.status is DeploymentStatus.RUNNING), None)


def _is_deleted(tx: sa.Connection, environment_id: int) -> bool:
    """Whether it is being taken away: what is queued behind that waits, or was canceled."""
    environment = environment_store.by_id(tx, environment_id)
    return deletion_store.open_of(tx, environment.project_id, environment_id) is not None


def start_steps(services: Services, deployment_id: int | None) -> None:
    """Of one that has taken its turn, where there is one; once, however often it is called."""
    if deployment_id is not None:
        services.durable.start("deployment", f"deployment-{deployment_id}", deployment_id)


def _takes_its_turn(services: Services, tx: sa.Connection, deployment: Deployment, plan: Plan) -> bool:
    """Marks it as running; one that cannot be done any more, or needs another approval, is no longer queued then."""
    if store.get(tx, deployment.id).status is not DeploymentStatus.QUEUED:
        return False
    environment = environment_store.by_id(tx, deployment.environment_id)
    try:
        hosts.claim(services, tx, environment, plan.hosts)
    except Conflict as error:
        _end(services, tx, deployment.id, DeploymentStatus.FAILED, str(error))
        return False
    now = services.now()
    running = {"reason": "", "started_at": now, "previous_id": environment.current_deployment_id}
    transition(tx, Subject.DEPLOYMENT, deployment.id, DeploymentStatus.RUNNING, now, **running)
    return True


def configuration_changed(services: Services, project_id: int) -> None:
    """Plans what waits again: a changed variable or secret makes another plan, and voids what was approved."""
    with services.database.writing() as tx:
        for deployment in store.all_open(tx):
            if deployment.project_id == project_id:
                if deployment.status is not DeploymentStatus.RUNNING:
                    refresh_plan(services, tx, deployment)
                touched(tx, Subject.DEPLOYMENT, deployment.id, services.now())


def refresh_plan(services: Services, tx: sa.Connection, deployment: Deployment) -> Plan | None:
    """Plans it anew; None where it failed.

    What a person decided on an environment that waits for people was this plan: where it is another one by now,
    approvals are void and it waits again. A restart, a stop and the like stay what they were.
    """
    before, wanted = store.plan_of(tx, deployment.id), wanted_of(tx, deployment)
    environment = wanted.environment
    plan = _plan_or_fail(services, tx, wanted, deployment.id)
    decided = environment.trigger is Trigger.MANUAL and deployment.status is DeploymentStatus.QUEUED
    decided = decided and deployment.kind is ActionKind.DEPLOY
    if plan and before and plan.fingerprint != before.fingerprint and decided:
        why = _changed_words(deployment)
        store.void_approvals(tx, deployment.id, why)
        waiting = {"approved_by": "", "reason": why}
        transition(tx, Subject.DEPLOYMENT, deployment.id, DeploymentStatus.WAITING, services.now(), **waiting)
    return plan


def wanted_of(tx: sa.Connection, deployment: Deployment) -> Wanted:
    """What it deploys where."""
    environment = environment_store.by_id(tx, deployment.environment_id)
    return Wanted(release_store.by_id(tx, deployment.release_id), environment, deployment.restores_id)


def _changed_words(deployment: Deployment) -> str:
    if deployment.approved_by:
        return "The plan has changed since it was approved, so it waits for another approval."
    return f"The plan has changed since {deployment.by} deployed it, so it waits for an approval."


def refresh_waiting(services: Services, tx: sa.Connection, project_id: int) -> None:
    """What waits shows how the same release fared elsewhere meanwhile."""
    for deployment in store.all_open(tx):
        if deployment.project_id == project_id and deployment.status is DeploymentStatus.WAITING:
            refresh_plan(services, tx, deployment)


def _plan_or_fail(services: Services, tx: sa.Connection, wanted: Wanted, deployment_id: int) -> Plan | None:
    deployment = store.get(tx, deployment_id)
    try:
        if deployment.kind is ActionKind.DEPLOY:
            plan = make_plan(services, tx, wanted)
        else:
            plan = actions.make_plan(services, tx, wanted.environment, deployment)
    except CabestanError as error:
        project = project_store.by_id(tx, wanted.environment.project_id)
        reason = secrets.redactor(tx, services.vault, project).text(str(error))
        _end(services, tx, deployment_id, DeploymentStatus.FAILED, reason)
        return None
    store.set_plan(tx, deployment_id, plan)
    return plan


def _to_be_judged(tx: sa.Connection, deployment_id: int, user: User) -> tuple[Deployment, Environment]:
    deployment = store.get(tx, deployment_id)
    environment = environment_store.by_id(tx, deployment.environment_id)
    if not may_approve(user, environment.project, environment.approvers):
        who = ", ".join(environment.approvers) or f"the maintainers of {environment.project}"
        raise Forbidden(f"You may not approve deployments on {environment.name}.", f"Ask {who}.")
    if deployment.status is not DeploymentStatus.WAITING:
        why = f": {deployment.reason}" if deployment.reason else "."
        status = deployment.status.replace("_", " ")
        raise Conflict(
            f"Deployment {deployment_id} does not wait for approval, its status is {status}{why}",
            f"`cabestan deployment list -p {environment.project}` shows which wait.",
        )
    return deployment, environment


def _supersede(services: Services, tx: sa.Connection, former: int, newer: Deployment) -> None:
    store.void_approvals(tx, former, f"A newer deployment, {newer.id}, of release {newer.release} took its place.")
    reason = f"Superseded by deployment {newer.id} of release {newer.release}."
    _end(services, tx, former, DeploymentStatus.SUPERSEDED, reason)


def _end(services: Services, tx: sa.Connection, deployment_id: int, status: DeploymentStatus, reason: str) -> None:
    now = services.now()
    transition(tx, Subject.DEPLOYMENT, deployment_id, status, now, reason=reason, finished_at=now)
