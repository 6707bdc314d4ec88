"""The tables. Times are milliseconds since 1970 in UTC; lists and maps are JSON text."""

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
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _Id, primary_key=True, autoincrement=True)


def _of(table: str, name: str = "", **options: Any) -> sa.Column[int]:
    column = name or f"{table.removesuffix('s')}_id"
    return sa.Column(column, _Id, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), **{"nullable": False, **options})


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **{"nullable": False, "server_default": "", **options})


def _moment(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, **options)


#: single values of the whole installation: the check of the key, the executor's name
facts = sa.Table("facts", metadata, sa.Column("name", sa.Text, primary_key=True), _text("value"))

users = sa.Table(
    "users",
    metadata,
    _id(),
    _text("name", unique=True),
    _text("password_hash"),
    sa.Column("admin", sa.Boolean, nullable=False, server_default=sa.false()),
    _moment("created_at", nullable=False),
)

memberships = sa.Table(
    "memberships",
    metadata,
    _of("users", primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    _text("role"),
)

#: tokens and sessions by hash; a token belongs to a user or to a job
tokens = sa.Table(
    "tokens",
    metadata,
    _id(),
    _text("hash", unique=True),
    _of("users", nullable=True),
    sa.Column("job_id", _Id, nullable=True, index=True),
    _text("name"),
    _text("kind"),
    _text("csrf"),
    _moment("created_at", nullable=False),
    _moment("expires_at"),
)

projects = sa.Table(
    "projects",
    metadata,
    _id(),
    _text("name", unique=True),
    _text("default_branch"),
    _moment("created_at", nullable=False),
)

refs = sa.Table(
    "refs",
    metadata,
    _of("projects", primary_key=True),
    sa.Column("ref", sa.Text, primary_key=True),
    _text("commit"),
)

events = sa.Table(
    "events",
    metadata,
    _id(),
    _of("projects", index=True),
    _text("kind"),
    _text("ref"),
    _text("before"),
    _text("after"),
    _text("by"),
    _moment("created_at", nullable=False),
)

pipelines = sa.Table(
    "pipelines",
    metadata,
    _id(),
    _of("projects"),
    _of("events", nullable=True),
    _text("commit"),
    _text("branch"),
    _text("title"),
    _text("author"),
    _text("status"),
    _text("reason"),
    _text("by"),
    _text("notes", server_default="[]"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    _moment("created_at", nullable=False),
    _moment("started_at"),
    _moment("finished_at"),
    sa.Index("ix_pipelines_project_id_id", "project_id", "id"),
    sa.Index("ix_pipelines_status", "status"),
    sa.Index("ix_pipelines_commit", "commit"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _id(),
    _of("pipelines"),
    _of("projects"),
    sa.Column("position", sa.Integer, nullable=False),
    _text("name"),
    _text("spec"),
    _text("status"),
    _text("reason"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    _moment("created_at", nullable=False),
    _moment("started_at"),
    _moment("finished_at"),
    sa.UniqueConstraint("pipeline_id", "name", name="uq_jobs_pipeline_id"),
)

releases = sa.Table(
    "releases",
    metadata,
    _id(),
    _of("projects"),
    _of("pipelines"),
    sa.Column("number", sa.Integer, nullable=False),
    _text("commit"),
    _text("branch"),
    _text("title"),
    _text("images"),
    _text("compose_file"),
    _text("compose"),
    _moment("created_at", nullable=False),
    sa.UniqueConstraint("project_id", "number", name="uq_releases_project_id"),
    sa.UniqueConstraint("pipeline_id", name="uq_releases_pipeline_id"),
)

environments = sa.Table(
    "environments",
    metadata,
    _id(),
    _of("projects"),
    _text("name"),
    sa.Column("position", sa.Integer, nullable=False),
    _text("target"),
    _text("domain"),
    _text("trigger"),
    _text("branches"),
    _text("approvers"),
    sa.Column("watch_seconds", sa.Integer, nullable=False),
    sa.Column("current_deployment_id", _Id, nullable=True),
    sa.UniqueConstraint("project_id", "name", name="uq_environments_project_id"),
)

#: every version of every variable and secret; `removed` ends a name
settings = sa.Table(
    "settings",
    metadata,
    _id(),
    _of("projects", index=True),
    _text("environment"),
    _text("name"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("secret", sa.Boolean, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("value"),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    _text("by"),
    _moment("created_at", nullable=False),
    sa.UniqueConstraint("project_id", "environment", "name", "version", name="uq_settings_project_id"),
)

deployments = sa.Table(
    "deployments",
    metadata,
    _id(),
    _of("projects"),
    _of("environments"),
    _of("releases"),
    _text("status"),
    _text("reason"),
    _text("by"),
    _text("approved_by"),
    sa.Column("restores_id", _Id, nullable=True),
    sa.Column("previous_id", _Id, nullable=True),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("plan"),
    _text("url"),
    _moment("created_at", nullable=False),
    _moment("started_at"),
    _moment("finished_at"),
    sa.Index("ix_deployments_environment_id_id", "environment_id", "id"),
    sa.Index("ix_deployments_project_id_id", "project_id", "id"),
    sa.Index("ix_deployments_status", "status"),
    sa.Index("ix_deployments_release_id", "release_id"),
    #: one deployment at a time per environment, whatever the code above does
    sa.Index(
        "uq_deployments_running",
        "environment_id",
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    ),
)

steps = sa.Table(
    "steps",
    metadata,
    _of("deployments", primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("text"),
    _text("status"),
    _text("detail"),
    _moment("started_at"),
    _moment("finished_at"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    _id(),
    _of("deployments", index=True),
    _text("by"),
    sa.Column("approved", sa.Boolean, nullable=False),
    _text("comment"),
    _text("fingerprint"),
    _text("void"),
    _moment("created_at", nullable=False),
)

#: which project a host name belongs to: the first that claimed it
hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    _of("projects", index=True),
    _of("environments", nullable=False),
    _moment("created_at", nullable=False),
)
