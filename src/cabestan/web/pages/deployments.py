"""Deployments: the list, one with its plan, and what people decide about it."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, may_approve
from cabestan.domain.deployment import Deployment
from cabestan.engine.deploying import deployments as engine
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.pages.answers import Before, Text, can, check_place, framed, html, see
from cabestan.web.pages.schedules import first_lines
from cabestan.web.pages.views.deployments import DeploymentPage, DeploymentRights, deployment_page, deployment_row
from cabestan.web.pages.views.frame import Crumb, project_frame
from cabestan.web.pages.views.paging import PAGE_SIZE, split_page
from cabestan.web.pages.views.schedules import run_log

router = APIRouter()
_AT = "/{group}/{name}/deployments"
Comment = Annotated[str, Form(max_length=2000)]


@router.get(_AT)
def deployments(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: str = "", before: Before = None
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        key = environment_store.get(tx, project.id, environment).id if environment else None
        found = store.page(tx, project.id, environment_id=key, before=before, limit=PAGE_SIZE + 1)
        titles = release_store.titles(tx, (d.release_id for d in found))
        serving = {e.current_deployment_id for e in environment_store.of_project(tx, project.id)}
    query = {"environment": environment} if environment else {}
    shown, pager = split_page(found, lambda d: d.id, f"/{project.name}/deployments", before, query)
    rows = tuple(deployment_row(d, titles, services.now(), current=d.id in serving) for d in shown)
    frame = project_frame(framed(visitor), project.name, "Deployments")
    return html("deployments.html", frame, project=project.name, environment=environment, rows=rows, pager=pager)


@router.get(_AT + "/{deployment_id}")
def deployment(visitor: SignedIn, services: Wired, group: str, name: str, deployment_id: int) -> Response:
    found = _deployment(services, visitor, f"{group}/{name}", deployment_id, Permission.READ)
    here = Crumb(str(found.id), f"/{found.project}/deployments/{found.id}")
    frame = project_frame(framed(visitor), found.project, "Deployments", here).with_topics(f"deployment:{found.id}")
    return html("deployment.html", frame, page=_page(services, visitor, found))


@router.post(_AT + "/{deployment_id}/approve")
def approve(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    deployment_id: int,
    fingerprint: Text,
    comment: Comment = "",
) -> Response:
    """Exactly the plan that was on the page."""
    found = _deployment(services, visitor, f"{group}/{name}", deployment_id, Permission.READ)
    engine.approve(services, found.id, visitor.user, fingerprint, comment.strip())
    return _see(found)


@router.post(_AT + "/{deployment_id}/reject")
def reject(
    visitor: SignedIn, services: Wired, group: str, name: str, deployment_id: int, comment: Comment = ""
) -> Response:
    found = _deployment(services, visitor, f"{group}/{name}", deployment_id, Permission.READ)
    engine.reject(services, found.id, visitor.user, comment.strip())
    return _see(found)


@router.post(_AT + "/{deployment_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, group: str, name: str, deployment_id: int) -> Response:
    found = _deployment(services, visitor, f"{group}/{name}", deployment_id, Permission.DEPLOY)
    engine.cancel(services, found.id, visitor.user.name)
    return _see(found)


def _see(deployment: Deployment) -> Response:
    return see(f"/{deployment.project}/deployments/{deployment.id}")


def _deployment(services: Services, visitor: Visitor, project: str, key: int, permission: Permission) -> Deployment:
    project_for(services, visitor.user, project, permission)
    with services.database.reading() as tx:
        found = store.get(tx, key)
    check_place(project, "deployment", key, found.project)
    return found


def _page(services: Services, visitor: Visitor, deployment: Deployment) -> DeploymentPage:
    with services.database.reading() as tx:
        environment = environment_store.by_id(tx, deployment.environment_id)
        titles = release_store.titles(tx, [deployment.release_id])
        plan = store.plan_of(tx, deployment.id)
        steps = store.steps_of(tx, deployment.id)
        approvals = store.approvals_of(tx, deployment.id)
        once = run_store.of_deployment(tx, deployment.id)
        used = levels.restored(tx, plan) if plan else ()
        shown = plan_for(tx, visitor.user, deployment.project, plan) if plan else None
    log = run_log(once[-1], *first_lines(services, once[-1])) if once else None
    rights = DeploymentRights(
        approve=may_approve(visitor.user, deployment.project, environment.approvers),
        deploy=can(visitor.user, Permission.DEPLOY, deployment.project),
    )
    return deployment_page(
        deployment, environment, titles, shown, steps, approvals, rights, services.now(), used, once, log
    )
