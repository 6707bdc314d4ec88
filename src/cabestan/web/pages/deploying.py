"""Deploying and rolling back from a page: the plan is shown, and exactly that plan is deployed."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Response

from cabestan.domain.access import Permission, may_approve
from cabestan.engine.deploying import deployments as engine
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.views.deploying import AskingPage, asking_page
from cabestan.web.pages.views.deployments import DeploymentRights
from cabestan.web.pages.views.environments import environment_cell
from cabestan.web.pages.views.frame import Crumb, project_frame

router = APIRouter()
_DEPLOY = "/{group}/{name}/deploy"
_BACK = "/{group}/{name}/rollback"
Number = Annotated[int, Form(ge=1, le=2**31)]
Asked = Annotated[str, Query(max_length=200)]
AskedNumber = Annotated[int, Query(ge=1, le=2**31)]


@router.get(_DEPLOY)
def ask(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: Asked, release: AskedNumber
) -> Response:
    """Shows what deploying the release would do, and asks who may deploy."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        target = environment_store.get(tx, project.id, environment)
        page = _page(services, tx, visitor, Wanted(release_store.get(tx, project.id, release), target))
    return _shown(visitor, project.name, page)


@router.get(_BACK)
def ask_back(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: Asked,
    release: AskedNumber,
    deployment: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """Shows what putting an earlier release back would do, and asks who may deploy."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        target = environment_store.get(tx, project.id, environment)
        page = _page(services, tx, visitor, engine.way_back(tx, target, release, deployment))
    return _shown(visitor, project.name, page)


@router.post(_DEPLOY)
def deploy(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: Text, release: Number, fingerprint: Text
) -> Response:
    """Exactly the plan that was on the page."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    with services.database.reading() as tx:
        target = environment_store.get(tx, project.id, environment)
        chosen = release_store.get(tx, project.id, release)
    made = engine.deploy(services, target, chosen, visitor.user, seen=fingerprint)
    return see(f"/{made.project}/deployments/{made.id}")


@router.post(_BACK)
def roll_back(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: Text,
    release: Number,
    fingerprint: Text,
    deployment: Annotated[int | None, Form(ge=1, le=2**31)] = None,
) -> Response:
    """Exactly the plan that was on the page."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    with services.database.reading() as tx:
        target = environment_store.get(tx, project.id, environment)
    made = engine.roll_back(services, target, release, visitor.user, seen=fingerprint, deployment_id=deployment)
    return see(f"/{made.project}/deployments/{made.id}")


def _shown(visitor: Visitor, project: str, page: AskingPage) -> Response:
    here = Crumb(page.heading, page.href)
    frame = project_frame(
        framed(visitor), project, "Environments", Crumb(page.environment, page.environment_href), here
    )
    return html("asking.html", frame, page=page)


def _page(services: Services, tx: sa.Connection, visitor: Visitor, wanted: Wanted) -> AskingPage:
    """Raises what a deployment would raise, where there is no plan for it."""
    environment = wanted.environment
    plan = make_plan(services, tx, wanted)
    overview = store.overview(tx, [environment.id])
    titles = release_store.titles(tx, {deployment.release_id for deployment in overview})
    return asking_page(
        wanted.release,
        environment,
        plan_for(tx, visitor.user, environment.project, plan),
        environment_cell(environment, overview, titles, services.now()),
        used=levels.restored(tx, plan),
        restores=wanted.restores,
        rights=DeploymentRights(
            approve=may_approve(visitor.user, environment.project, environment.approvers),
            deploy=can(visitor.user, Permission.DEPLOY, environment.project),
        ),
        now=services.now(),
    )
