"""Variables of groups and of pipelines, protected and masked ones, protected branches, the text of .env"""

import sqlalchemy as sa
from alembic import op

import cabestan.store.schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_A_GROUP = sa.text("project_id IS NULL")


def upgrade() -> None:
    """Columns are added in place: SQLite would take along all that refers to a table which is made anew."""
    op.add_column("projects", sa.Column("protected_branches", sa.Text(), server_default='["@default"]', nullable=False))
    op.add_column("pipelines", sa.Column("variables", sa.Text(), server_default="{}", nullable=False))
    op.add_column("pipelines", sa.Column("author_email", sa.Text(), server_default="", nullable=False))
    op.add_column("pipelines", sa.Column("committed_at", cabestan.store.schema.Moment(), nullable=True))
    op.add_column("releases", sa.Column("dotenv", sa.Text(), server_default="", nullable=False))
    op.add_column("releases", sa.Column("variables", sa.Text(), server_default="{}", nullable=False))
    with op.batch_alter_table("settings") as batch_op:  # nothing refers to it
        batch_op.alter_column("project_id", existing_type=sa.BigInteger(), nullable=True)
        batch_op.add_column(sa.Column("group_name", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("protected", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("masked", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(
            "uq_settings_group_name",
            ["group_name", "name", "version"],
            unique=True,
            sqlite_where=_OF_A_GROUP,
            postgresql_where=_OF_A_GROUP,
        )
