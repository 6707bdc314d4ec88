"""Jobs keep the digest of the image that they pushed"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("digest", sa.Text(), server_default="", nullable=False))
