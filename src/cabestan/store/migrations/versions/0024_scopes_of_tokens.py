"""What a token may do"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that there are keep all rights of their users."""
    op.add_column("tokens", sa.Column("scope", sa.Text(), server_default="all", nullable=False))
