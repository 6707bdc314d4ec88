"""What people do to what is deployed, and what of it is kept"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All that there are put a release there, and nothing is stopped or scaled."""
    op.add_column("deployments", sa.Column("kind", sa.Text(), server_default="deploy", nullable=False))
    op.add_column("deployments", sa.Column("services", sa.Text(), server_default="[]", nullable=False))
    op.add_column("deployments", sa.Column("replicas", sa.Text(), server_default="[]", nullable=False))
    op.create_index("ix_deployments_environment_id_kind_id", "deployments", ["environment_id", "kind", "id"])
    op.add_column("environments", sa.Column("kept", sa.Text(), server_default="{}", nullable=False))
