"""What is taken away, and the last backups of it"""

import sqlalchemy as sa
from alembic import op

from cabestan.store.schema.columns import Id, Moment

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        _text("kind"),
        sa.Column("project_id", Id, nullable=False),
        _text("project"),
        sa.Column("environment_id", Id, server_default="0", nullable=False),
        _text("environment"),
        _text("volume"),
        _text("by"),
        sa.Column("saving", sa.Boolean(), server_default=sa.true(), nullable=False),
        _text("status"),
        _text("at"),
        _text("detail"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
    )
    op.create_index("ix_deletions_project_id", "deletions", ["project_id"])
    running = sa.text("status = 'running'")
    op.create_index(
        "uq_deletions_running",
        "deletions",
        ["project_id", "environment_id", "volume"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_table(
        "last_backups",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("deletion_id", Id, sa.ForeignKey("deletions.id", ondelete="CASCADE"), nullable=False),
        _text("kind"),
        _text("project"),
        _text("environment"),
        _text("name"),
        sa.Column("file", sa.Text(), server_default="", nullable=False, unique=True),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        _text("sha256"),
        sa.Column("here", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("remote", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("kept_until", Moment(), nullable=False),
    )
    op.create_index("ix_last_backups_deletion_id", "last_backups", ["deletion_id"])
    op.create_table(
        "used_ids",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("last", Id, nullable=False),
    )
    op.add_column("database_operations", sa.Column("deletion_id", Id, nullable=True))
    # the database looks for what refers to each row that goes
    op.create_index("ix_pipelines_event_id", "pipelines", ["event_id"])
    op.create_index("ix_runs_deployment_id", "runs", ["deployment_id"])
    op.create_index("ix_schedules_deployment_id", "schedules", ["deployment_id"])


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)
