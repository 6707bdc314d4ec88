"""Home: the matrix of projects and environments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.moments import When, when
from cabestan.web.pages.views.states import EMPTY, SERVING, State, deployment_state

_TROUBLE = (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Standing:
    """What serves in an environment."""

    release: int
    href: str
    commit: CommitView
    since: When
    by: str


@dataclass(frozen=True)
class Pending:
    """What goes on in an environment, or went wrong there last: `waits_for` says who must act."""

    state: State
    release: int
    href: str
    by: str
    waits_for: str = ""


@dataclass(frozen=True)
class Cell:
    environment: str
    href: str
    url: str
    state: State
    standing: Standing | None
    pending: tuple[Pending, ...]


@dataclass(frozen=True)
class Column:
    """One environment's name; those of a family (`review/…`) share a column."""

    name: str


@dataclass(frozen=True)
class Row:
    """`cells` has a tuple for each column: empty, one cell, or several of a family."""

    project: str
    href: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Matrix:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    #: everything that waits for a person, over all projects
    waiting: int


@dataclass(frozen=True)
class Activity:
    """What is known of one environment's deployments."""

    current: Deployment | None
    open: tuple[Deployment, ...]
    last: Deployment | None


def home_matrix(
    projects: Iterable[Project],
    environments: Iterable[Environment],
    deployments: Iterable[Deployment],
    titles: Mapping[int, str],
    now: datetime,
) -> Matrix:
    """`deployments` holds, for each environment, the one that serves, the last one, and all that are open.

    `titles` maps a release's id to its commit's title.
    """
    by_environment = _group(deployments)
    columns = _columns(environments := tuple(environments))
    cells: dict[tuple[int, str], list[Cell]] = {}
    for environment in environments:
        activity = _activity(environment, by_environment.get(environment.id, ()))
        key = (environment.project_id, family(environment.name))
        cells.setdefault(key, []).append(cell(environment, activity, titles, now))
    rows = tuple(_row(project, columns, cells) for project in projects)
    waiting = sum(1 for ds in by_environment.values() for d in ds if d.status is DeploymentStatus.WAITING)
    return Matrix(columns, rows, waiting)


def family(environment: str) -> str:
    """`review/login` belongs to `review/…`; a plain name stands for itself."""
    head, slash, _ = environment.partition("/")
    return f"{head}/…" if slash else head


def cell(environment: Environment, activity: Activity, titles: Mapping[int, str], now: datetime) -> Cell:
    standing = _standing(activity.current, titles, now) if activity.current else None
    pending = tuple(_pending(d, environment) for d in activity.open)
    if not pending and activity.last and activity.last.status in _TROUBLE:
        pending = (_pending(activity.last, environment),)
    return Cell(
        environment=environment.name,
        href=f"/{environment.project}/environments/{environment.name}",
        url=activity.current.url if activity.current else "",
        state=SERVING if standing else EMPTY,
        standing=standing,
        pending=pending,
    )


def approvers_text(environment: Environment) -> str:
    return " or ".join(environment.approvers) if environment.approvers else "a maintainer"


def activity(environment: Environment, deployments: Iterable[Deployment]) -> Activity:
    """Sorts one environment's deployments into what serves, what goes on and what was last."""
    return _activity(environment, tuple(deployments))


def _activity(environment: Environment, deployments: tuple[Deployment, ...]) -> Activity:
    current = next((d for d in deployments if d.id == environment.current_deployment_id), None)
    unfinished = tuple(d for d in deployments if not d.status.ended)
    last = max((d for d in deployments if d.status.ended), key=lambda d: d.id, default=None)
    return Activity(current, unfinished, last)


def _standing(deployment: Deployment, titles: Mapping[int, str], now: datetime) -> Standing:
    return Standing(
        release=deployment.release,
        href=f"/{deployment.project}/deployments/{deployment.id}",
        commit=commit_view(deployment.commit, titles.get(deployment.release_id, "")),
        since=when(deployment.finished_at or deployment.created_at, now),
        by=deployment.by,
    )


def _pending(deployment: Deployment, environment: Environment) -> Pending:
    waits = deployment.status is DeploymentStatus.WAITING
    return Pending(
        state=deployment_state(deployment.status),
        release=deployment.release,
        href=f"/{deployment.project}/deployments/{deployment.id}",
        by=deployment.by,
        waits_for=approvers_text(environment) if waits else "",
    )


def _columns(environments: tuple[Environment, ...]) -> tuple[Column, ...]:
    """In the order in which releases travel, by the earliest place that a name has in any project."""
    places: dict[str, int] = {}
    for environment in environments:
        name = family(environment.name)
        places[name] = min(places.get(name, environment.position), environment.position)
    return tuple(Column(name) for name in sorted(places, key=lambda name: (places[name], name)))


def _row(project: Project, columns: tuple[Column, ...], cells: Mapping[tuple[int, str], list[Cell]]) -> Row:
    mine = tuple(tuple(cells.get((project.id, column.name), ())) for column in columns)
    return Row(project.name, f"/{project.name}", mine)


def _group(deployments: Iterable[Deployment]) -> Mapping[int, tuple[Deployment, ...]]:
    groups: dict[int, dict[int, Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.environment_id, {})[deployment.id] = deployment
    return {key: tuple(group.values()) for key, group in groups.items()}
