"""Operations on databases keep what served before they changed over"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("former_image", "former_version", "former_volume"):
        op.add_column("database_operations", sa.Column(name, sa.Text(), server_default="", nullable=False))
