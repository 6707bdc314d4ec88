"""How the routes of environments answer."""

import sqlalchemy as sa

from cabestan.store.schema.columns import id_, json_, metadata, moment_, of_, one_, text_

#: one row for each route and hour; of what is older, for each day
tallies = sa.Table(
    "tallies",
    metadata,
    of_("environments", primary_key=True),
    sa.Column("route", sa.Text(), primary_key=True),
    sa.Column("hours", sa.Integer(), primary_key=True),
    moment_("begun", primary_key=True, index=True),
    sa.Column("good", sa.Integer(), nullable=False),
    sa.Column("failed", sa.Integer(), nullable=False),
    json_("times", tuple[int, ...], server_default="[]"),
)

#: one open row for each route; those that have ended stay a while as history
outages = sa.Table(
    "outages",
    metadata,
    id_(),
    of_("environments", index=True),
    of_("deployments"),
    text_("route"),
    text_("service"),
    text_("reason"),
    moment_("began_at", nullable=False),
    moment_("ended_at"),
    one_("uq_outages_open", "environment_id", "route", where="ended_at IS NULL"),
)
