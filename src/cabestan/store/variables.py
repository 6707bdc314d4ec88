"""Variables and secrets: every version is kept, none is ever changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.project import Project
from cabestan.domain.variable import Variable
from cabestan.errors import NotFound
from cabestan.store.rows import Rows
from cabestan.store.schema import settings


@dataclass(frozen=True)
class Scope:
    """Where a name is set: in a group, in a project, or in one environment of it."""

    project_id: int | None = None
    environment: str = ""
    group: str = ""

    @property
    def words(self) -> str:
        """For people: `environment staging`."""
        if self.project_id is None:
            return f"group {self.group}"
        return f"environment {self.environment}" if self.environment else "project"

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        if self.project_id is None:
            return sa.and_(settings.c.project_id.is_(None), settings.c.group_name == self.group)
        return sa.and_(settings.c.project_id == self.project_id, settings.c.environment == self.environment)


@dataclass(frozen=True)
class Named:
    """That a name is set, and where; not to what. `group` is empty for a project's, `project_id` None for a group's."""

    name: str
    secret: bool
    project_id: int | None
    environment: str
    group: str


_NAMED = Rows(Named, settings, group=settings.c.group_name)
_VARIABLES = Rows(Variable, settings, group=settings.c.group_name)


def current(tx: sa.Connection, project_id: int) -> tuple[Variable, ...]:
    """The newest version of each name in each scope of the project, without those that were removed."""
    return _newest(tx, settings.c.project_id == project_id)


def current_in_group(tx: sa.Connection, group: str) -> tuple[Variable, ...]:
    return _newest(tx, Scope(group=group).condition)


def applying(tx: sa.Connection, project: Project) -> tuple[Variable, ...]:
    """All that may reach the project: its group's and its own, with its environments'."""
    return (*current_in_group(tx, project.group), *current(tx, project.id))


def find(tx: sa.Connection, scope: Scope, name: str) -> Variable | None:
    """The newest version of a name there; None where it was never set or was removed."""
    newest = history(tx, scope, name)[:1]
    return newest[0] if newest and not newest[0].removed else None


def history(tx: sa.Connection, scope: Scope, name: str) -> tuple[Variable, ...]:
    """Every version of a name there, the newest first, with those that ended it."""
    return _VARIABLES.all(tx, scope.condition, settings.c.name == name, by=(settings.c.version.desc(),))


def by_ids(tx: sa.Connection, ids: Iterable[int]) -> tuple[Variable, ...]:
    return _VARIABLES.all(tx, settings.c.id.in_(list(ids)), by=(settings.c.name,))


def sealed(tx: sa.Connection, ids: Iterable[int]) -> Mapping[int, bytes]:
    """A version's id to its sealed value, for those of the ids that are secrets."""
    query = sa.select(settings.c.id, settings.c.sealed).where(settings.c.id.in_(list(ids)), settings.c.secret)
    return {row.id: row.sealed for row in tx.execute(query)}


def sealed_of_project(tx: sa.Connection, project: Project) -> tuple[tuple[Variable, bytes], ...]:
    """All versions of all secrets that may reach the project, for what must not show them."""
    query = _VARIABLES.query.add_columns(settings.c.sealed).where(_of_project(project), settings.c.sealed.is_not(None))
    return tuple((_VARIABLES.make(*secret), value) for *secret, value in tx.execute(query))


def masked_of_project(tx: sa.Connection, project: Project) -> tuple[str, ...]:
    """The values of all versions of its masked variables."""
    query = sa.select(settings.c.value).where(_of_project(project), settings.c.masked, settings.c.secret.is_(False))
    return tuple(value for value in tx.execute(query).scalars() if value)


def add(
    tx: sa.Connection,
    scope: Scope,
    name: str,
    *,
    value: str = "",
    sealed: bytes | None = None,
    removed: bool = False,
    protected: bool = False,
    masked: bool = False,
    by: str,
    now: datetime,
) -> Variable:
    """A new version; of a secret where `sealed` is given."""
    former = history(tx, scope, name)[:1]
    key = _VARIABLES.add(
        tx,
        project_id=scope.project_id,
        group_name=scope.group,
        environment=scope.environment,
        name=name,
        version=former[0].version + 1 if former else 1,
        secret=sealed is not None,
        removed=removed,
        value=value,
        sealed=sealed,
        protected=protected,
        masked=masked,
        by=by,
        created_at=now,
    )
    return _VARIABLES.one(tx, key)


def remove(tx: sa.Connection, scope: Scope, name: str, *, secret: bool, by: str, now: datetime) -> None:
    """Ends a name in its scope; its versions stay, for the deployments that used them."""
    present = find(tx, scope, name)
    if not present or present.secret is not secret:
        raise no_setting(scope, name, secret=secret)
    add(tx, scope, name, removed=True, by=by, now=now)


def no_setting(scope: Scope, name: str, *, secret: bool) -> NotFound:
    kind = "secret" if secret else "variable"
    return NotFound(f"There is no {kind} {name} in this {scope.words}.", f"`cabestan {kind} list` shows them.")


def _newest(tx: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Variable, ...]:
    newest = sa.select(sa.func.max(settings.c.id)).where(where).group_by(settings.c.environment, settings.c.name)
    present = (settings.c.id.in_(newest), settings.c.removed.is_(False))
    return _VARIABLES.all(tx, *present, by=(settings.c.name, settings.c.environment))


def _of_project(project: Project) -> sa.ColumnElement[bool]:
    return sa.or_(settings.c.project_id == project.id, Scope(group=project.group).condition)


def named(
    tx: sa.Connection, part: str, project_ids: Iterable[int], groups: Iterable[str], limit: int
) -> tuple[Named, ...]:
    """What is set in these projects and groups, with the part in its name."""
    of_project = settings.c.project_id.in_(list(project_ids))
    of_group = settings.c.project_id.is_(None) & settings.c.group_name.in_(list(groups))
    like = settings.c.name.icontains(part, autoescape=True)
    place = (settings.c.project_id, settings.c.group_name, settings.c.environment, settings.c.name)
    newest = sa.select(sa.func.max(settings.c.id)).where(of_project | of_group, like).group_by(*place)
    present = (settings.c.id.in_(newest), settings.c.removed.is_(False))
    return _NAMED.read(tx, _NAMED.query.where(*present).order_by(settings.c.name, settings.c.id).limit(limit))
