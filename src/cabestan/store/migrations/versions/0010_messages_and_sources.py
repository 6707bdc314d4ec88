"""What a pipeline's commit says, where its branch stood before, and how it was set off"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_EVENT = "FROM events WHERE events.id = pipelines.event_id"


def upgrade() -> None:
    for name in ("message", "before", "source"):
        op.add_column("pipelines", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.execute(
        f"UPDATE pipelines SET message = title, source = COALESCE("  # noqa: S608 (of constants alone)
        f"(SELECT CASE kind WHEN 'push' THEN 'push' ELSE 'api' END {_EVENT}), 'push'), "
        f"before = COALESCE((SELECT before {_EVENT} AND kind = 'push'), '')"
    )
