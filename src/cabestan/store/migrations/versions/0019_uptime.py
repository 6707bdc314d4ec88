"""How the routes of environments answer"""

import sqlalchemy as sa
from alembic import op

from cabestan.store.schema.columns import Id, Moment

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # not in a batch: SQLite would make the table anew, and what hangs on it would go with the former one
    op.add_column("environments", sa.Column("uptime", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("environments", sa.Column("uptime_path", sa.Text(), server_default="", nullable=False))
    op.add_column("environments", sa.Column("uptime_status", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "tallies",
        sa.Column("environment_id", Id, _of("environments"), primary_key=True),
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("hours", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("begun", Moment(), primary_key=True),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("times", sa.Text(), server_default="[]", nullable=False),
    )
    op.create_index("ix_tallies_begun", "tallies", ["begun"])
    op.create_table(
        "outages",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("environment_id", Id, _of("environments"), nullable=False),
        sa.Column("deployment_id", Id, _of("deployments"), nullable=False),
        sa.Column("route", sa.Text(), server_default="", nullable=False),
        sa.Column("service", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
    )
    op.create_index("ix_outages_environment_id", "outages", ["environment_id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_outages_open",
        "outages",
        ["environment_id", "route"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _of(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
