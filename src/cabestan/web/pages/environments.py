"""Environments: the list, one with its services and history, and its settings."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Response

from cabestan.domain.access import may_set_approval
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.release import Release
from cabestan.engine.deleting.wishes import PlacedVolume, volumes_of
from cabestan.engine.deploying import environments as engine
from cabestan.engine.deploying import settings as settings_engine
from cabestan.engine.deploying.actions import may_act
from cabestan.engine.deploying.compose_files import has_its_files
from cabestan.engine.deploying.composing import url_of
from cabestan.engine.observing.availability import answering
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.errors import CabestanError
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as store
from cabestan.store import observations as observation_store
from cabestan.store import releases as release_store
from cabestan.store import users as user_store
from cabestan.store import variables as variable_store
from cabestan.web.pages.actions import kept_lines
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Configuring, Inside, Reading, Text, see
from cabestan.web.pages.availability import route_view
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.members import members_of
from cabestan.web.pages.overview import cell
from cabestan.web.pages.projects import cells
from cabestan.web.pages.readers import Reader
from cabestan.web.pages.tasks import ServiceView, service_view
from cabestan.web.pages.templating import split_list

router = APIRouter()
_AT = "/{group}/{name}/environments"
_ONE = _AT + "/{environment:path}"
_HISTORY = 20
_CHOICES = 30
_LONGEST_TITLE = 60
Line = Annotated[str, Form(max_length=2000)]


@router.get(_AT)
def environments(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        found, titles = cells(tx, at.project)
        known = names_of_members(at, tx)
    return at.html(
        "environments.html",
        "Environments",
        cells=found,
        titles=titles,
        people=known,
        default_branch=at.project.default_branch,
        target_domain=at.services.settings.target_domain,
    )


@router.post(_AT)
def create(
    at: Configuring,
    environment: Text,
    trigger: Annotated[Trigger | None, Form()] = None,
    branches: Line = "",
    approvers: Line = "",
    domain: Line = "",
) -> Response:
    """What is left empty is as in every new one. One that is there already keeps what it has."""
    name = environment.strip()
    with at.services.database.reading() as tx:
        if present := store.find(tx, at.project.id, name):
            return see(href(present))
    patterns = split_list(branches)
    made = settings_engine.set_environment(
        at.services,
        at.project,
        name,
        at.user,
        trigger=trigger,
        branches=patterns or None,
        approvers=split_list(approvers) or None,
        domain=domain.strip() or None,
    )
    return see(href(made))


@router.get(_ONE)
def environment(at: Reading, environment: str) -> Response:
    with at.services.database.reading() as tx:
        return _shown(at, tx, store.get(tx, at.project.id, environment))


@router.post(_ONE)
def change(
    at: Configuring,
    environment: str,
    trigger: Annotated[Trigger, Form()],
    watch_seconds: Annotated[int, Form()],
    domain: Line = "",
    branches: Line = "",
    approvers: Line = "",
    plain_http: Annotated[bool, Form()] = False,
    time_zone: Line = "",
    compose_files: Line = "",
    uptime: Annotated[bool, Form()] = True,
    uptime_path: Line = "",
    uptime_status: Annotated[int, Form()] = 0,
) -> Response:
    with at.services.database.reading() as tx:
        found = store.get(tx, at.project.id, environment)
    settings_engine.set_environment(
        at.services,
        at.project,
        found.name,
        at.user,
        domain=domain.strip(),
        trigger=trigger,
        branches=split_list(branches),
        approvers=split_list(approvers),
        watch_seconds=watch_seconds,
        plain_http=plain_http,
        time_zone=time_zone.strip(),
        compose_files=split_list(compose_files),
        uptime=uptime,
        uptime_path=uptime_path.strip(),
        uptime_status=uptime_status,
    )
    return see(href(found))


def _shown(at: Inside, tx: sa.Connection, found: Environment) -> Response:
    deployments = deployment_store.page(tx, environment_id=found.id, limit=_HISTORY)
    overview = deployment_store.overview(tx, [found.id])
    seen = observation_store.find(tx, found.id)
    answers = answering(at.services, tx, found)
    running, trouble = _running(at.services, found)
    glance = cell(found, overview, seen)
    reader = Reader(f"/{found.project}/settings/variables", at.rights.configure, project=found.project)
    own = (s for s in variable_store.current(tx, found.project_id) if s.environment == found.name)
    choices = release_store.page(tx, found.project_id, limit=_CHOICES) if at.rights.deploy else ()
    return at.html(
        "environment.html",
        "Environments",
        Crumb(found.name, href(found)),
        head=glance.state.word if glance.current else "",
        environment=found,
        url=url_of(at.services, found),
        cell=glance,
        titles=release_store.titles(tx, {d.release_id for d in (*deployments, *overview)}),
        unwell=seen.unwell if seen and found.current_deployment_id is not None else (),
        uptime=[route_view(route) for route in answers.routes],
        outages=answers.outages,
        services=running,
        engine_trouble=trouble,
        routes=_routes(at.services, tx, found),
        history=deployments,
        reader=reader,
        settings=reader.shown(own),
        choices=[(release.number, _choice(release)) for release in choices if _can_come(release, found)],
        default_domain=found.default_domain(at.services.settings.target_domain),
        default_time_zone=at.services.settings.time_zone,
        may_act=found.current_deployment_id is not None and may_act(at.user, found),
        kept=kept_lines(tx, found),
        may_set_approval=may_set_approval(at.user, found.project, found.approvers),
        outdated=levels.outdated(tx, found),
        people=names_of_members(at, tx),
        volumes=_volumes(at.services, found),
    )


def _volumes(services: Services, environment: Environment) -> tuple[PlacedVolume, ...]:
    """None where the engine does not answer, which the page tells elsewhere."""
    try:
        return volumes_of(services, environment)
    except CabestanError:
        return ()


def names_of_members(at: Inside, tx: sa.Connection) -> tuple[str, ...]:
    """To choose from, for those who may choose."""
    if not at.rights.configure:
        return ()
    return tuple(member.name for member in members_of(user_store.all_users(tx), at.project.name))


def _choice(release: Release) -> str:
    title = release.title if len(release.title) <= _LONGEST_TITLE else f"{release.title[: _LONGEST_TITLE - 1]}…"
    return f"{release.number} · {title} · {release.branch}"


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
    now = services.now()
    return tuple(service_view(service, nodes, now) for service in state.services), ""


def _routes(services: Services, tx: sa.Connection, environment: Environment) -> tuple[str, ...]:
    """Addresses that lead to what serves now."""
    key = environment.current_deployment_id
    plan = deployment_store.plan_of(tx, key) if key is not None else None
    return tuple(services.settings.address_of(probe.host) + probe.path for probe in plan.probes) if plan else ()
