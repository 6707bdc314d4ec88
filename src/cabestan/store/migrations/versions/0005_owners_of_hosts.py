"""Host names are claimed by pattern and environment, and given away by rules"""

import sqlalchemy as sa
from alembic import op

import cabestan.store.schema

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "host_claims",
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("environment_id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("created_at", cabestan.store.schema.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_host_claims_environment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_host_claims_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pattern", "environment_id", name=op.f("pk_host_claims")),
    )
    op.create_index(op.f("ix_host_claims_project_id"), "host_claims", ["project_id"], unique=False)
    op.create_table(
        "host_rules",
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", cabestan.store.schema.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pattern", name=op.f("pk_host_rules")),
    )
    op.execute(
        "INSERT INTO host_claims (pattern, environment_id, project_id, created_at) "
        "SELECT host, environment_id, project_id, created_at FROM hosts"
    )
    op.drop_table("hosts")
