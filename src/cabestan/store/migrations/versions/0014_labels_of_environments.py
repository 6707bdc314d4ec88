"""Environments keep what their default domains begin with"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that there are keep the names that they have: an empty label stands for those."""
    op.add_column("environments", sa.Column("label", sa.Text(), server_default="", nullable=False))
