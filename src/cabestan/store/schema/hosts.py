"""Whose host names are."""

import sqlalchemy as sa

from cabestan.store.schema.columns import metadata, moment_, of_, text_

#: the patterns (`a.org`, `*.a.org`) that an environment routes, or did: they are its project's
host_claims = sa.Table(
    "host_claims",
    metadata,
    sa.Column("pattern", sa.Text, primary_key=True),
    of_("environments", primary_key=True),
    of_("projects", index=True),
    moment_("created_at", nullable=False),
)

#: what an administrator gave to a group (`shop`) or to a project (`shop/web`)
host_rules = sa.Table(
    "host_rules",
    metadata,
    sa.Column("pattern", sa.Text, primary_key=True),
    text_("owner"),
    text_("by"),
    moment_("created_at", nullable=False),
)
