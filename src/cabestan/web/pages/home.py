"""The first page: what runs where."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, User, may
from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.observed import Condition, Seen
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.alerts import views, visible
from cabestan.web.pages.answers import html
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.needs import needs
from cabestan.web.pages.overview import Cell, cell

router = APIRouter()


@dataclass(frozen=True)
class Matrix:
    """A column is an environment's name; those of a family (`review/…`) share one.

    Each project has, for each column, a tuple: empty, one cell, or several of a family. `waiting` counts all that
    waits for a person.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[tuple[Cell, ...], ...]]
    waiting: int

    @property
    def cells(self) -> Iterator[Cell]:
        return (cell for columns in self.rows.values() for cells in columns for cell in cells)


@router.get("/")
def home(visitor: SignedIn, services: Wired) -> Response:
    with services.database.reading() as tx:
        projects = visible_projects(tx, visitor.user)
        keys = {project.id for project in projects}
        environments = tuple(e for e in environment_store.all_environments(tx) if e.project_id in keys)
        deployments = deployment_store.overview(tx, (environment.id for environment in environments))
        titles = release_store.titles(tx, (deployment.release_id for deployment in deployments))
        seen = observation_store.of(tx, (environment.id for environment in environments))
        pipelines = pipeline_store.newest_of(tx, keys)
        alerts = visible(services, tx, visitor.user, [project.name for project in projects])
    matrix = home_matrix(projects, environments, deployments, seen)
    down = sum(cell.state.word == Condition.DOWN for cell in matrix.cells)
    frame = plain_frame(visitor, "What runs where", "projects", "project:*")
    return html(
        "home.html",
        frame.headed(f"{down} down") if down else frame,
        matrix=matrix,
        pipelines={pipeline.project: pipeline for pipeline in pipelines},
        needs=needs(matrix.cells, pipelines),
        titles=titles,
        alerts=views(alerts),
        now=services.now(),
    )


def visible_projects(tx: sa.Connection, user: User) -> tuple[Project, ...]:
    return tuple(p for p in project_store.all_projects(tx) if may(user, Permission.READ, p.name))


def home_matrix(
    projects: Iterable[Project],
    environments: tuple[Environment, ...],
    deployments: Iterable[Deployment],
    seen: Mapping[int, Seen] = MappingProxyType({}),
) -> Matrix:
    """`deployments` holds, for each environment, the one that serves, the last one, and all that are open."""
    on: dict[int, dict[int, Deployment]] = {}
    for deployment in deployments:
        on.setdefault(deployment.environment_id, {})[deployment.id] = deployment
    columns = _columns(environments)
    cells: dict[tuple[int, str], list[Cell]] = {}
    for environment in environments:
        found = cell(environment, on.get(environment.id, {}).values(), seen.get(environment.id))
        cells.setdefault((environment.project_id, family(environment.name)), []).append(found)
    rows = {p.name: tuple(tuple(cells.get((p.id, column), ())) for column in columns) for p in projects}
    waiting = sum(d.status is DeploymentStatus.WAITING for mine in on.values() for d in mine.values())
    return Matrix(columns, rows, waiting)


def family(environment: str) -> str:
    """`review/login` belongs to `review/…`; a plain name stands for itself."""
    head, slash, _ = environment.partition("/")
    return f"{head}/…" if slash else head


def _columns(environments: Iterable[Environment]) -> tuple[str, ...]:
    """In the order in which releases travel, by the earliest place that a name has in any project."""
    places: dict[str, int] = {}
    for environment in environments:
        name = family(environment.name)
        places[name] = min(places.get(name, environment.position), environment.position)
    return tuple(sorted(places, key=lambda name: (places[name], name)))
