"""What columns are made of. Times are milliseconds since 1970 in UTC; lists and maps are JSON text."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A time in UTC, to the millisecond, as a number."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


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
    return sa.Column(name, sa.Text, **{"nullable": False, "server_default": "", **options})


def moment_(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, **options)
