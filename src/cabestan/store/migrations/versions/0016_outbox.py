"""What is to be told of changes is written with them"""

import sqlalchemy as sa
from alembic import op

from cabestan.store.schema.columns import Id, Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("project_id", Id, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=True),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("key", Id, server_default="0", nullable=False),
        sa.Column("former", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("topics", sa.Text(), server_default="[]", nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox_cursors",
        sa.Column("consumer", sa.Text(), primary_key=True),
        sa.Column("event_id", Id, nullable=False),
    )
    op.create_table(
        "outbox_retries",
        sa.Column("consumer", sa.Text(), primary_key=True),
        sa.Column("event_id", Id, sa.ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("again_at", Moment(), nullable=False),
    )
