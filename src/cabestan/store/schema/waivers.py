"""Rules that a project is let off."""

import sqlalchemy as sa

from cabestan.store.schema.columns import id_, metadata, moment_, of_, one_, text_

#: on record for ever; one that was removed holds no more
waivers = sa.Table(
    "waivers",
    metadata,
    id_(),
    of_("projects", index=True),
    text_("code"),
    text_("by"),
    text_("reason"),
    moment_("created_at", nullable=False),
    text_("removed_by"),
    moment_("removed_at"),
    #: one at a time for each rule
    one_("uq_waivers_holding", "project_id", "code", where="removed_at IS NULL"),
)
