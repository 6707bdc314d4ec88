"""Releases hold all their Compose files, and environments choose among them"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    compose_files = sa.Column("compose_files", sa.Text(), server_default="[]", nullable=False)
    op.add_column("environments", compose_files)
    op.add_column("releases", sa.Column("texts", sa.Text(), server_default="{}", nullable=False))
    _keep_texts(op.get_bind())
    op.drop_column("releases", "compose")


def _keep_texts(connection: sa.Connection) -> None:
    """The one text of each release so far goes under the name of its file."""
    names = ("id", "compose_file", "compose", "texts")
    releases = sa.table("releases", *(sa.column(name) for name in names))
    query = sa.select(releases.c.id, releases.c.compose_file, releases.c.compose).where(releases.c.compose != "")
    for key, name, text in connection.execute(query).all():
        kept = json.dumps({name: text}, separators=(",", ":"), ensure_ascii=False)
        connection.execute(sa.update(releases).where(releases.c.id == key).values(texts=kept))
