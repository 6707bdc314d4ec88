"""Rows as frozen values and back, by the names of the values' fields."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from itertools import islice, starmap
from typing import Any, Generic, TypeVar, get_type_hints

import sqlalchemy as sa

from cabestan.errors import NotFound
from cabestan.store.ids import numbered
from cabestan.store.schema import environments, projects

V = TypeVar("V")
_Condition = sa.ColumnElement[bool]
_Columns = Mapping[str, sa.ColumnElement[Any]]

#: the names of where it belongs, for the rows of a table that is `placed`
PLACE: _Columns = {"project": projects.c.name, "environment": environments.c.name, "target": environments.c.target}
#: empty for what is of the whole installation
PROJECT_OR_NONE = sa.func.coalesce(projects.c.name, "")


def placed(table: sa.Table) -> sa.Join:
    """Joined to the project and to the environment that it names."""
    of_project = table.join(projects, projects.c.id == table.c.project_id)
    return of_project.join(environments, environments.c.id == table.c.environment_id)


def columns_of(table: sa.Table, value: Any) -> dict[str, Any]:
    """What the value has for the table, but for its id."""
    names = [field.name for field in fields(value) if field.name in table.c and field.name != "id"]
    return {name: getattr(value, name) for name in names}


class Rows(Generic[V]):
    """The rows of a table as values of one class; `source` is the table with what is joined to it.

    Each field is a column: the table's own of that name, or the one that `others` has for it. A field that is such a
    value itself is made of its own fields' columns. Fields that have none come last and keep their defaults.
    """

    def __init__(
        self, value: type[V], table: sa.Table, source: sa.FromClause | None = None, /, **others: sa.ColumnElement[Any]
    ) -> None:
        self._table = table
        self._key: sa.Column[Any] = next(iter(table.primary_key))
        columns, self.make = _made_of(value, {**table.c, **others})
        self.query = sa.select(*columns).select_from(table if source is None else source)

    def read(self, tx: sa.Connection, query: sa.Select[Any]) -> tuple[V, ...]:
        """What a query finds that was made of `query`."""
        return tuple(starmap(self.make, tx.execute(query)))

    def all(self, tx: sa.Connection, *where: _Condition, by: Iterable[sa.ColumnElement[Any]] = ()) -> tuple[V, ...]:
        return self.read(tx, self.query.where(*where).order_by(*by))

    def newest(
        self,
        tx: sa.Connection,
        *where: _Condition,
        by: sa.Column[Any] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> tuple[V, ...]:
        """The highest id first, or number `by` which they count; `before` is that of the last on the page before."""
        count = self._key if by is None else by
        older = () if before is None else (count < before,)
        return self.read(tx, self.query.where(*where, *older).order_by(count.desc()).limit(limit))

    def latest(self, tx: sa.Connection, *where: _Condition, by: sa.Column[Any] | None = None) -> V | None:
        return next(iter(self.newest(tx, *where, by=by, limit=1)), None)

    def find(self, tx: sa.Connection, *where: _Condition) -> V | None:
        """The only one."""
        row = tx.execute(self.query.where(*where)).one_or_none()
        return self.make(*row) if row else None

    def one(self, tx: sa.Connection, key: int) -> V:
        """The one with the id, which is there."""
        return self.make(*tx.execute(self.query.where(self._key == key)).one())

    def get(self, tx: sa.Connection, key: int, missing: Callable[[int], NotFound]) -> V:
        """The one with the id; raises what `missing` makes of it where there is none."""
        found = self.find(tx, self._key == key)
        if found is None:
            raise missing(key)
        return found

    def add(self, tx: sa.Connection, **values: Any) -> int:
        """Gives its id."""
        (row,) = numbered(tx, self._table, [values])
        return int(tx.execute(sa.insert(self._table).values(row).returning(self._key)).scalar_one())

    def update(self, tx: sa.Connection, key: int, **values: Any) -> None:
        tx.execute(sa.update(self._table).where(self._key == key).values(values))


def _made_of(value: type[V], columns: _Columns) -> tuple[list[sa.ColumnElement[Any]], Callable[..., V]]:
    """The columns of a value's fields, and what makes it of one row of them."""
    taken: list[sa.ColumnElement[Any]] = []
    parts: list[Callable[[Iterator[Any]], Any]] = []
    for field in _kept(value, columns):
        if field.name in columns:
            taken.append(columns[field.name])
            parts.append(next)
        else:
            inner, make = _made_of(get_type_hints(value)[field.name], columns)
            taken += inner
            parts.append(partial(_next_ones, make, len(inner)))
    whole = all(part is next for part in parts)
    return taken, value if whole else partial(_from_parts, value, parts)


def _kept(value: type[Any], columns: _Columns) -> list[Field[Any]]:
    """The fields that have a column, or columns for their own fields; the others must be last and have a default."""
    kinds = get_type_hints(value)
    kept = [field for field in fields(value) if field.name in columns or is_dataclass(kinds[field.name])]
    for place, field in enumerate(fields(value)):
        if field not in kept and (place < len(kept) or field.default is field.default_factory is MISSING):
            raise TypeError(f"{value.__name__} has no column for {field.name}")
    return kept


def _from_parts(value: type[V], parts: Iterable[Callable[[Iterator[Any]], Any]], *row: Any) -> V:
    left = iter(row)
    return value(*(part(left) for part in parts))


def _next_ones(make: Callable[..., Any], count: int, left: Iterator[Any]) -> Any:
    return make(*islice(left, count))
