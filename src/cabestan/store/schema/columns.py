"""What columns are made of. What is read from one is what the domain knows: a time, a member, a list."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from cabestan.store.values import dump, reader


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


class Json(TypeDecorator[Any]):
    """A value of a type as JSON text; none is empty."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._read = reader(kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else dump(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return self._read(json.loads(value)) if value else None


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


def json_(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return _text(name, Json(kind), **options)


def _text(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False, "server_default": "", **options})


def moment_(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, **options)


def one_(name: str, *columns: str, where: str) -> sa.Index:
    """Of the rows for which the condition holds, one at most has the same in these columns."""
    holds = sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=holds, postgresql_where=holds)
