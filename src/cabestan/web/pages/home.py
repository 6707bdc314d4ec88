"""The first page: what runs where."""

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, User, may
from cabestan.domain.project import Project
from cabestan.engine import disk
from cabestan.engine.services import Services
from cabestan.store import alerts as alert_store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.answers import framed, html
from cabestan.web.pages.views.alerts import alert_rows
from cabestan.web.pages.views.frame import plain_frame
from cabestan.web.pages.views.home import Matrix, home_matrix

router = APIRouter()


@router.get("/")
def home(visitor: SignedIn, services: Wired) -> Response:
    with services.database.reading() as tx:
        matrix = _matrix(services, tx, visitor.user)
        names = [project.name for project in visible_projects(tx, visitor.user)]
        open_alerts = alert_store.page(tx, installation=visitor.user.admin, project_names=names)
    if full := disk.alert(services):
        open_alerts = (full, *open_alerts)
    frame = plain_frame(framed(visitor), "What runs where", "projects", "project:*")
    return html("home.html", frame, matrix=matrix, alerts=alert_rows(open_alerts, services.now()))


def visible_projects(tx: sa.Connection, user: User) -> tuple[Project, ...]:
    return tuple(p for p in project_store.all_projects(tx) if may(user, Permission.READ, p.name))


def _matrix(services: Services, tx: sa.Connection, user: User) -> Matrix:
    projects = visible_projects(tx, user)
    keys = {project.id for project in projects}
    environments = tuple(e for e in environment_store.all_environments(tx) if e.project_id in keys)
    deployments = deployment_store.overview(tx, (environment.id for environment in environments))
    titles = release_store.titles(tx, (deployment.release_id for deployment in deployments))
    return home_matrix(projects, environments, deployments, titles, services.now())
