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
    with op.batch_alter_table("projects") as batch_op:
        batch_op.add_column(sa.Column("protected_branches", sa.Text(), server_default='["@default"]', nullable=False))
    with op.batch_alter_table("pipelines") as batch_op:
        batch_op.add_column(sa.Column("variables", sa.Text(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("author_email", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("committed_at", cabestan.store.schema.Moment(), nullable=True))
    with op.batch_alter_table("releases") as batch_op:
        batch_op.add_column(sa.Column("dotenv", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("variables", sa.Text(), server_default="{}", nullable=False))
    with op.batch_alter_table("settings") as batch_op:
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


def downgrade() -> None:
    op.execute("DELETE FROM settings WHERE project_id IS NULL")
    with op.batch_alter_table("settings") as batch_op:
        batch_op.drop_index("uq_settings_group_name", sqlite_where=_OF_A_GROUP, postgresql_where=_OF_A_GROUP)
        for column in ("masked", "protected", "group_name"):
            batch_op.drop_column(column)
        batch_op.alter_column("project_id", existing_type=sa.BigInteger(), nullable=False)
    for table, columns in (
        ("releases", ("variables", "dotenv")),
        ("pipelines", ("committed_at", "author_email", "variables")),
        ("projects", ("protected_branches",)),
    ):
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
