"""Environments: the list, one with its services and history, and its settings."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, User, may_set_approval
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.release import Release
from cabestan.engine.deploying import environments as engine
from cabestan.engine.deploying import settings as settings_engine
from cabestan.engine.deploying.compose_files import has_its_files
from cabestan.engine.deploying.composing import url_of
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.errors import CabestanError
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as store
from cabestan.store import releases as release_store
from cabestan.store import variables as configuration_store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.projects import cells
from cabestan.web.pages.views import environments as views
from cabestan.web.pages.views.frame import Crumb, project_frame
from cabestan.web.pages.views.services import ServiceView, service_view
from cabestan.web.pages.views.variables import Place, Reader, outdated_note, setting_rows

router = APIRouter()
_AT = "/{group}/{name}/environments"
_HISTORY = 20
_CHOICES = 30
Line = Annotated[str, Form(max_length=2000)]


@router.get(_AT)
def environments(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = cells(services, tx, project)
    frame = project_frame(framed(visitor), project.name, "Environments")
    configure = can(visitor.user, Permission.CONFIGURE, project.name)
    return html("environments.html", frame, project=project.name, cells=found, may_configure=configure)


@router.post(_AT)
def create(visitor: SignedIn, services: Wired, group: str, name: str, environment: Text) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    made = settings_engine.set_environment(services, project, environment.strip(), visitor.user)
    return see(f"/{project.name}/environments/{made.name}")


@router.get(_AT + "/{environment:path}")
def environment(visitor: SignedIn, services: Wired, group: str, name: str, environment: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.get(tx, project.id, environment)
        page = _page(services, tx, found, visitor.user)
    here = Crumb(found.name, page.cell.href)
    frame = project_frame(framed(visitor), project.name, "Environments", here)
    return html("environment.html", frame, project=project.name, page=page)


@router.post(_AT + "/{environment:path}")
def change(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: str,
    trigger: Annotated[Trigger, Form()],
    watch_seconds: Annotated[int, Form()],
    domain: Line = "",
    branches: Line = "",
    approvers: Line = "",
    plain_http: Annotated[bool, Form()] = False,
    time_zone: Line = "",
    compose_files: Line = "",
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    with services.database.reading() as tx:
        found = store.get(tx, project.id, environment)
    settings_engine.set_environment(
        services,
        project,
        found.name,
        visitor.user,
        domain=domain.strip(),
        trigger=trigger,
        branches=views.split_list(branches),
        approvers=views.split_list(approvers),
        watch_seconds=watch_seconds,
        plain_http=plain_http,
        time_zone=time_zone.strip(),
        compose_files=views.split_list(compose_files),
    )
    return see(f"/{project.name}/environments/{found.name}")


def _page(services: Services, tx: sa.Connection, found: Environment, user: User) -> views.EnvironmentPage:
    now = services.now()
    deployments = deployment_store.page(tx, environment_id=found.id, limit=_HISTORY)
    overview = deployment_store.overview(tx, [found.id])
    titles = release_store.titles(tx, {d.release_id for d in (*deployments, *overview)})
    rights = views.Rights(
        deploy=can(user, Permission.DEPLOY, found.project),
        configure=can(user, Permission.CONFIGURE, found.project),
        set_approval=may_set_approval(user, found.project, found.approvers),
    )
    running, trouble = _running(services, found)
    own = (s for s in configuration_store.current(tx, found.project_id) if s.environment == found.name)
    place = Place(f"/{found.project}/settings/variables", project=found.project)
    reader = Reader(place, now, rights.configure)
    choices = release_store.page(tx, found.project_id, limit=_CHOICES) if rights.deploy else ()
    return views.EnvironmentPage(
        cell=views.environment_cell(found, overview, titles, now),
        url=url_of(services, found),
        services=running,
        engine_trouble=trouble,
        routes=_routes(services, tx, found),
        history=views.history(deployments, found, titles, now, may_deploy=rights.deploy),
        history_href=f"/{found.project}/deployments?environment={found.name}",
        form=views.settings_form(found, services.settings.target_domain, services.settings.time_zone),
        settings=setting_rows(own, reader),
        choices=tuple(views.release_choice(r) for r in choices if _can_come(r, found)),
        rights=rights,
        outdated=outdated_note(late) if (late := levels.outdated(tx, found)) else None,
    )


def _can_come(release: Release, environment: Environment) -> bool:
    """What would be refused is not offered."""
    return environment.takes(release.branch, release.default_branch) and has_its_files(release, environment)


def _running(services: Services, environment: Environment) -> tuple[tuple[ServiceView, ...] | None, str]:
    """Services as the engine tells them now; None, and why, where it does not answer: the rest can be shown."""
    try:
        state = engine.services_of(services, environment)
        nodes = services.cluster_of(environment).stacks.node_names()
    except CabestanError as error:
        return None, str(error)
    return tuple(service_view(service, nodes) for service in state.services), ""


def _routes(services: Services, tx: sa.Connection, environment: Environment) -> tuple[str, ...]:
    """Addresses that lead to what serves now."""
    key = environment.current_deployment_id
    plan = deployment_store.plan_of(tx, key) if key is not None else None
    return tuple(services.settings.address_of(probe.host) + probe.path for probe in plan.probes) if plan else ()
