"""Releases keep the ports that their images declare"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("releases", sa.Column("ports", sa.Text(), server_default="{}", nullable=False))
