"""Deployments: the list, one with its plan, and what people decide about it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import may_approve
from cabestan.domain.deployment import Deployment, Plan
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import deployments as engine
from cabestan.engine.deploying.evidence import gather
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Before, Deploying, Inside, Reading, Text, see
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.logs import run_log
from cabestan.web.pages.paging import PAGE_SIZE, split_page
from cabestan.web.pages.plans import steps
from cabestan.web.pages.readers import used

router = APIRouter()
_AT = "/{group}/{name}/deployments"
_ONE = _AT + "/{deployment_id}"
Comment = Annotated[str, Form(max_length=2000)]


@dataclass(frozen=True)
class Offers:
    """What the page of a deployment offers to do."""

    approve: bool
    cancel: bool


@router.get(_AT)
def deployments(at: Reading, environment: str = "", before: Before = None) -> Response:
    with at.services.database.reading() as tx:
        key = environment_store.get(tx, at.project.id, environment).id if environment else None
        found = store.page(tx, at.project.id, environment_id=key, before=before, limit=PAGE_SIZE + 1)
        titles = release_store.titles(tx, (d.release_id for d in found))
        serving = {e.current_deployment_id for e in environment_store.of_project(tx, at.project.id)}
    query = {"environment": environment} if environment else {}
    shown, pager = split_page(found, lambda d: d.id, f"/{at.project.name}/deployments", before, query)
    return at.html(
        "deployments.html",
        "Deployments",
        environment=environment,
        rows=shown,
        titles=titles,
        serving=serving,
        pager=pager,
    )


@router.get(_ONE)
def deployment(at: Reading, deployment_id: int) -> Response:
    found = _of(at, deployment_id)
    with at.services.database.reading() as tx:
        environment = environment_store.by_id(tx, found.environment_id)
        titles = release_store.titles(tx, [found.release_id])
        plan = store.plan_of(tx, found.id)
        runs = store.steps_of(tx, found.id)
        approvals = store.approvals_of(tx, found.id)
        once = run_store.of_deployment(tx, found.id)
        uses = levels.restored(tx, plan) if plan else ()
        shown = plan_for(tx, at.user, found.project, plan) if plan else None
        wanted = engine.wanted_of(tx, found) if found.status is DeploymentStatus.WAITING else None
    evidence = gather(at.services, wanted) if wanted else None
    may_say = may_approve(at.user, found.project, environment.approvers)
    return at.html(
        "deployment.html",
        "Deployments",
        Crumb(str(found.id), href(found)),
        topics=[f"deployment:{found.id}"],
        deployment=found,
        environment=environment,
        title=titles.get(found.release_id),
        serving={environment.current_deployment_id},
        plan=shown,
        evidence=evidence,
        steps=steps(shown, runs, ended=found.status.ended),
        approvals=approvals,
        offers=offers(found, shown, may_approve=may_say, may_deploy=at.rights.deploy),
        runs=once,
        log=run_log(at.services, once[-1]) if once else None,
        used=used(uses),
    )


@router.post(_ONE + "/approve")
def approve(at: Reading, deployment_id: int, fingerprint: Text, comment: Comment = "") -> Response:
    """Exactly the plan that was on the page."""
    found = _of(at, deployment_id)
    engine.approve(at.services, found.id, at.user, fingerprint, comment.strip())
    return see(href(found))


@router.post(_ONE + "/reject")
def reject(at: Reading, deployment_id: int, comment: Comment = "") -> Response:
    found = _of(at, deployment_id)
    engine.reject(at.services, found.id, at.user, comment.strip())
    return see(href(found))


@router.post(_ONE + "/cancel")
def cancel(at: Deploying, deployment_id: int) -> Response:
    found = _of(at, deployment_id)
    engine.cancel(at.services, found.id, at.user.name)
    return see(href(found))


def _of(at: Inside, key: int) -> Deployment:
    return at.find(store.get, "deployment", key)


def offers(deployment: Deployment, plan: Plan | None, *, may_approve: bool, may_deploy: bool) -> Offers:
    """Only what waits, with a plan, is approved; only what has not ended is canceled."""
    waits = deployment.status is DeploymentStatus.WAITING
    return Offers(approve=waits and may_approve and plan is not None, cancel=may_deploy and not deployment.status.ended)
