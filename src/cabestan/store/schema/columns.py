"""What columns are made of. What is read from one is what the domain knows: a time, a member, a list."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from cabestan.domain.references import Form, found_at, stored
from cabestan.store.values import dump, reader

_REGISTRY = "cabestan_registry"


class Moment(TypeDecorator[datetime]):
    """A time in UTC, to the millisecond, as a number."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


class Word(TypeDecorator[StrEnum]):
    """A member of an enumeration, as its text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self.members(value)


def set_registry(dialect: sa.Dialect, address: str) -> None:
    """The address that references have for those who use this database; empty where they are to have none."""
    setattr(dialect, _REGISTRY, address)


def registry_of(dialect: sa.Dialect) -> str:
    return str(getattr(dialect, _REGISTRY, ""))


class Reference(TypeDecorator[str]):
    """Of an image: where it is in the platform's own registry, it is kept without that one's address."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else stored(registry_of(dialect))(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else found_at(registry_of(dialect))(value)


class Json(TypeDecorator[Any]):
    """A value of a type as JSON text; none is empty. `refer` changes the references of images in such a value."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: Any, refer: Callable[[Form, Any], Any] = lambda _form, value: value) -> None:
        super().__init__()
        self.kind, self.refer = kind, refer
        self._read = reader(kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else dump(self.refer(stored(registry_of(dialect)), value))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return self.refer(found_at(registry_of(dialect)), self._read(json.loads(value))) if value else None


Texts = tuple[str, ...]
TextMap = Mapping[str, str]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: BIGINT on PostgreSQL; SQLite counts by itself only in an INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def id_() -> sa.Column[int]:
    return sa.Column("id", Id, primary_key=True, autoincrement=True)


def of_(table: str, name: str = "", **options: Any) -> sa.Column[int]:
    column = name or f"{table.removesuffix('s')}_id"
    return sa.Column(column, Id, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), **{"nullable": False, **options})


def text_(name: str, **options: Any) -> sa.Column[str]:
    return _text(name, sa.Text(), **options)


def word_(name: str, members: type[StrEnum], **options: Any) -> sa.Column[Any]:
    return _text(name, Word(members), **options)


def reference_(name: str) -> sa.Column[Any]:
    return _text(name, Reference())


def json_(
    name: str, kind: Any, refer: Callable[[Form, Any], Any] = lambda _form, value: value, **options: Any
) -> sa.Column[Any]:
    return _text(name, Json(kind, refer), **options)


def _text(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False, "server_default": "", **options})


def moment_(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, **options)


def one_(name: str, *columns: str, where: str) -> sa.Index:
    """Of the rows for which the condition holds, one at most has the same in these columns."""
    holds = sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=holds, postgresql_where=holds)
