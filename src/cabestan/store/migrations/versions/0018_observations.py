"""What is seen of what was deployed"""

import sqlalchemy as sa
from alembic import op

from cabestan.store.schema.columns import Id, Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_environment = sa.ForeignKey("environments.id", ondelete="CASCADE")
    op.create_table(
        "observations",
        sa.Column("environment_id", Id, of_environment, primary_key=True),
        sa.Column("condition", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("services", sa.Text(), server_default="[]", nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
    )
