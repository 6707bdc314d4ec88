"""Deploying and rolling back from a page: the plan is shown, and exactly that plan is deployed."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Response

from cabestan.domain.access import may_approve
from cabestan.domain.environment import Trigger
from cabestan.domain.evidence import Evidence
from cabestan.engine.deploying import deployments as engine
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.evidence import gather
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import releases as release_store
from cabestan.web.pages.addresses import asking_href, href
from cabestan.web.pages.answers import Asked, Deploying, Inside, Reading, Text, see
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.overview import cell
from cabestan.web.pages.plans import steps
from cabestan.web.pages.readers import used

router = APIRouter()
_DEPLOY = "/{group}/{name}/deploy"
_BACK = "/{group}/{name}/rollback"
Number = Annotated[int, Form(ge=1, le=2**31)]
AskedNumber = Annotated[int, Query(ge=1, le=2**31)]


@router.get(_DEPLOY)
def ask(at: Reading, environment: Asked, release: AskedNumber) -> Response:
    """Shows what deploying the release would do, and asks who may deploy."""
    with at.services.database.reading() as tx:
        target = environment_store.get(tx, at.project.id, environment)
        wanted = Wanted(release_store.get(tx, at.project.id, release), target)
    return _shown(at, wanted)


@router.get(_BACK)
def ask_back(
    at: Reading,
    environment: Asked,
    release: AskedNumber,
    deployment: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """Shows what putting an earlier release back would do, and asks who may deploy."""
    with at.services.database.reading() as tx:
        target = environment_store.get(tx, at.project.id, environment)
        wanted = engine.way_back(tx, target, release, deployment)
    return _shown(at, wanted)


@router.post(_DEPLOY)
def deploy(at: Deploying, environment: Text, release: Number, fingerprint: Text) -> Response:
    """Exactly the plan that was on the page."""
    with at.services.database.reading() as tx:
        target = environment_store.get(tx, at.project.id, environment)
        chosen = release_store.get(tx, at.project.id, release)
    return see(href(engine.deploy(at.services, target, chosen, at.user, seen=fingerprint)))


@router.post(_BACK)
def roll_back(
    at: Deploying,
    environment: Text,
    release: Number,
    fingerprint: Text,
    deployment: Annotated[int | None, Form(ge=1, le=2**31)] = None,
) -> Response:
    """Exactly the plan that was on the page."""
    with at.services.database.reading() as tx:
        target = environment_store.get(tx, at.project.id, environment)
    return see(
        href(engine.roll_back(at.services, target, release, at.user, seen=fingerprint, deployment_id=deployment))
    )


def _shown(at: Inside, wanted: Wanted) -> Response:
    evidence = gather(at.services, wanted)
    with at.services.database.reading() as tx:
        return _page(at, tx, wanted, evidence)


def _page(at: Inside, tx: sa.Connection, wanted: Wanted, evidence: Evidence) -> Response:
    """Raises what a deployment would raise, where there is no plan for it."""
    environment, release, back = wanted.environment, wanted.release, wanted.restores is not None
    plan = make_plan(at.services, tx, wanted)
    overview = store.overview(tx, [environment.id])
    words = "Put release {} back on {}" if back else "Deploy release {} on {}"
    heading = words.format(release.number, environment.name)
    decides = may_approve(at.user, environment.project, environment.approvers)
    shown = plan_for(tx, at.user, environment.project, plan)
    address = asking_href(environment.project, environment.name, release.number, wanted.restores)
    return at.html(
        "asking.html",
        "Environments",
        Crumb(environment.name, href(environment)),
        Crumb(heading, address),
        heading=heading,
        action="rollback" if back else "deploy",
        environment=environment,
        release=release,
        present=cell(environment, overview, observation_store.find(tx, environment.id)),
        titles=release_store.titles(tx, {deployment.release_id for deployment in overview}),
        plan=shown,
        evidence=evidence,
        steps=steps(shown, (), ended=False),
        used=used(levels.restored(tx, plan)),
        restores=wanted.restores,
        waits=environment.trigger is Trigger.MANUAL and not decides,
    )
