"""Projects as a list shows them: how each stands, filtered and sorted, in groups that fold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from cabestan.domain.access import Permission, User, may
from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.observed import Seen
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project
from cabestan.domain.status import RunStatus
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.web.pages.overview import Cell, cell
from cabestan.web.pages.states import NEEDING, STATES, State, severity, state

#: so many projects are shown with all that is known of each, and no group is folded; of more, a line of each
FEW = 24
#: value of the form's field, its words, and the states that it takes
FILTERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "": ("any state", frozenset()),
    "needs": ("needs somebody", frozenset(NEEDING)),
    "down": ("down", frozenset({"down"})),
    "degraded": ("degraded", frozenset({"degraded"})),
    "failed": ("failed", frozenset({"failed", "rolled back"})),
    "waiting": ("waiting", frozenset({"waiting"})),
    "running": ("under way", frozenset({"created", "queued", "running"})),
    "serving": ("serving", frozenset({"serving"})),
    "stopped": ("stopped", frozenset({"stopped"})),
    "unknown": ("unknown", frozenset({"unknown"})),
    "empty": ("nothing deployed", frozenset({"empty"})),
}
SORTS: Mapping[str, str] = {"": "by name", "changed": "by last change", "state": "by state"}


@dataclass(frozen=True)
class Wish:
    """What the form above the list asks for: a part of the name, a key of FILTERS and one of SORTS."""

    name: str = ""
    state: str = ""
    sort: str = ""

    @classmethod
    def of(cls, name: str, state: str, sort: str) -> "Wish":
        """Of what stands in the address: what is not known there counts as not given."""
        return cls(name.strip(), state if state in FILTERS else "", sort if sort in SORTS else "")

    @property
    def filters(self) -> bool:
        return bool(self.name or self.state)

    def takes(self, row: "Row") -> bool:
        states = FILTERS[self.state][1]
        return self.name.lower() in row.project.name and (not states or not states.isdisjoint(row.words))


@dataclass(frozen=True)
class Row:
    """A project, its environments in the order in which a release travels, and its newest pipeline."""

    project: Project
    cells: tuple[Cell, ...]
    newest: Pipeline | None = None

    @cached_property
    def states(self) -> tuple[State, ...]:
        """All that can be said of it, the worst first."""
        found = [cell.state for cell in self.cells]
        found += [state(one.status) for cell in self.cells for one in cell.pending]
        if self.newest and self.newest.status is not RunStatus.SUCCEEDED:
            found.append(state(self.newest.status))
        return tuple(sorted(found, key=severity)) or (STATES["empty"],)

    @property
    def worst(self) -> State:
        return self.states[0]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(state.word for state in self.states)

    @cached_property
    def changed(self) -> datetime:
        """When something happened there last."""
        found = [one.finished_at or one.created_at for cell in self.cells for one in cell.deployments]
        found += [cell.seen.since for cell in self.cells if cell.current and cell.seen]
        if self.newest:
            found.append(self.newest.finished_at or self.newest.created_at)
        return max(found, default=self.project.created_at)


@dataclass(frozen=True)
class Group:
    """`columns`: an environment's name each; those of a family (`review/…`) share one."""

    name: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    open: bool

    @property
    def worst(self) -> State:
        return min((row.worst for row in self.rows), key=severity)

    @property
    def needing(self) -> str:
        """The word for what is not well in it, empty where nothing needs anybody."""
        return self.worst.word if self.worst.word in NEEDING else ""

    @property
    def counts(self) -> tuple[tuple[State, int], ...]:
        """How many projects there are of each state, each counted by its worst; the worst first."""
        found = Counter(row.worst for row in self.rows)
        return tuple(sorted(found.items(), key=lambda item: severity(item[0])))

    def places(self, row: Row) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        """Each column with the row's cells there: none, one, or several of a family."""
        cells: dict[str, tuple[Cell, ...]] = {}
        for one in row.cells:
            name = family(one.environment.name)
            cells[name] = (*cells.get(name, ()), one)
        return tuple((column, cells.get(column, ())) for column in self.columns)


def visible_projects(tx: sa.Connection, user: User) -> tuple[Project, ...]:
    return tuple(p for p in project_store.all_projects(tx) if may(user, Permission.READ, p.name))


def read(tx: sa.Connection, projects: Sequence[Project]) -> tuple[Row, ...]:
    """By as many queries for a thousand projects as for one."""
    keys = [project.id for project in projects]
    environments = environment_store.of_projects(tx, keys)
    ids = [environment.id for environment in environments]
    newest = pipeline_store.newest_of(tx, keys)
    return rows(projects, environments, deployment_store.overview(tx, ids), observation_store.of(tx, ids), newest)


def titles_of(tx: sa.Connection, found: Iterable[Group]) -> Mapping[int, str]:
    """Of the releases that are deployed, each to the title of its commit."""
    cells = (cell for group in found for row in group.rows for cell in row.cells)
    return release_store.titles(tx, (cell.current.release_id for cell in cells if cell.current))


def rows(
    projects: Iterable[Project],
    environments: Iterable[Environment],
    deployments: Iterable[Deployment] = (),
    seen: Mapping[int, Seen] | None = None,
    pipelines: Iterable[Pipeline] = (),
) -> tuple[Row, ...]:
    """`deployments` has, for each environment, the one that serves, the last one, and all that are open."""
    on: dict[int, dict[int, Deployment]] = {}
    for deployment in deployments:
        on.setdefault(deployment.environment_id, {})[deployment.id] = deployment
    cells: dict[int, list[Cell]] = {}
    for environment in environments:
        found = cell(environment, on.get(environment.id, {}).values(), (seen or {}).get(environment.id))
        cells.setdefault(environment.project_id, []).append(found)
    newest = {pipeline.project_id: pipeline for pipeline in pipelines}
    return tuple(Row(p, tuple(cells.get(p.id, ())), newest.get(p.id)) for p in projects)


def groups(found: Iterable[Row], wish: Wish = Wish(), *, few: bool = False) -> tuple[Group, ...]:
    """Those that the wish takes. All are open where there are few or some are looked for, else what is not well."""
    inside: dict[str, list[Row]] = {}
    for row in found:
        if wish.takes(row):
            inside.setdefault(row.project.group, []).append(row)
    made = [_group(name, mine, wish, few=few) for name, mine in inside.items()]
    if wish.sort == "changed":
        made.sort(key=lambda group: group.rows[0].changed, reverse=True)
    elif wish.sort == "state":
        made.sort(key=lambda group: (severity(group.worst), group.name))
    else:
        made.sort(key=lambda group: group.name)
    return tuple(made)


def _group(name: str, mine: list[Row], wish: Wish, *, few: bool) -> Group:
    if wish.sort == "changed":
        mine.sort(key=lambda row: row.changed, reverse=True)
    elif wish.sort == "state":
        mine.sort(key=lambda row: (severity(row.worst), row.project.name))
    made = Group(name, tuple(mine), _columns(one.environment for row in mine for one in row.cells), open=True)
    return made if few or wish.filters or made.needing else Group(name, made.rows, made.columns, open=False)


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
