"""A project's first page."""

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, User
from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import can, framed, html
from cabestan.web.pages.releases import serving
from cabestan.web.pages.views.environments import environment_cell
from cabestan.web.pages.views.frame import project_frame
from cabestan.web.pages.views.home import Cell
from cabestan.web.pages.views.pipelines import pipeline_row
from cabestan.web.pages.views.projects import ProjectPage
from cabestan.web.pages.views.releases import release_row

router = APIRouter()
_LATEST_PIPELINES = 10
_LATEST_RELEASES = 5


@router.get("/{group}/{name}")
def project(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    found = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        page = _page(services, tx, found, visitor.user)
    return html("project.html", project_frame(framed(visitor), found.name, "Overview"), page=page)


def _page(services: Services, tx: sa.Connection, project: Project, user: User) -> ProjectPage:
    now = services.now()
    pipelines = pipeline_store.page(tx, project.id, limit=_LATEST_PIPELINES)
    releases = release_store.page(tx, project.id, limit=_LATEST_RELEASES)
    where = serving(tx, project.id)
    return ProjectPage(
        name=project.name,
        default_branch=project.default_branch,
        git_url=f"{services.settings.public_url}/{project.name}.git",
        environments=cells(services, tx, project),
        pipelines=tuple(pipeline_row(p, now) for p in pipelines),
        releases=tuple(release_row(release, where, now) for release in releases),
        may_run=can(user, Permission.RUN, project.name),
    )


def cells(services: Services, tx: sa.Connection, project: Project) -> tuple[Cell, ...]:
    """How each environment stands, in the order in which a release travels."""
    environments = environment_store.of_project(tx, project.id)
    deployments = deployment_store.overview(tx, (e.id for e in environments))
    titles = release_store.titles(tx, (d.release_id for d in deployments))
    now = services.now()
    return tuple(
        environment_cell(e, [d for d in deployments if d.environment_id == e.id], titles, now) for e in environments
    )
