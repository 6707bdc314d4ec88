"""Schedules and runs; several steps of one kind in a deployment; a time zone per environment"""

import sqlalchemy as sa
from alembic import op

from cabestan.store.schema import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("environments", sa.Column("time_zone", sa.Text(), server_default="", nullable=False))
    with op.batch_alter_table("steps") as batch:
        batch.drop_constraint("pk_steps", type_="primary")
        batch.create_primary_key("pk_steps", ["deployment_id", "position"])
    _create_schedules()
    _create_runs()


def _create_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("environment_id", _ID, nullable=False),
        sa.Column("deployment_id", _ID, nullable=False),
        *(_text(name) for name in ("service", "expression", "command", "overlap")),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("next_due", Moment(), nullable=True),
        _text("paused_by"),
        sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(_of("schedules", table) for table in ("project", "environment", "deployment")),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint("environment_id", "service", name="uq_schedules_environment_id"),
    )
    op.create_index("ix_schedules_project_id", "schedules", ["project_id"])


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        _text("kind"),
        *(sa.Column(f"{table}_id", _ID, nullable=False) for table in ("project", "environment", "deployment")),
        _text("service"),
        sa.Column("schedule_id", _ID, nullable=True),
        sa.Column("due_at", Moment(), nullable=True),
        *(_text(name) for name in ("cause", "by", "status", "reason")),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        _text("cancel"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("attempt_at", Moment(), nullable=True),
        sa.Column("finished_at", Moment(), nullable=True),
        *(_of("runs", table) for table in ("project", "environment", "deployment", "schedule")),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("schedule_id", "due_at", name="uq_runs_schedule_id"),
    )
    for columns in (["project_id"], ["environment_id"], ["status"], ["schedule_id", "id"]):
        op.create_index(f"ix_runs_{'_'.join(columns)}", "runs", columns)
    once = sa.text("kind = 'one-shot'")
    op.create_index(
        "uq_runs_one_shot",
        "runs",
        ["deployment_id", "service"],
        unique=True,
        sqlite_where=once,
        postgresql_where=once,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _of(table: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{other}_id"
    return sa.ForeignKeyConstraint([f"{other}_id"], [f"{other}s.id"], name=name, ondelete="CASCADE")
