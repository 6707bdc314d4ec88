"""What went wrong by itself."""

import sqlalchemy as sa

from cabestan.store.schema.columns import id_, metadata, moment_, of_, one_, text_

#: one open row for each kind and subject; those that were cleared stay as history
alerts = sa.Table(
    "alerts",
    metadata,
    id_(),
    text_("kind"),
    text_("subject"),
    text_("message"),
    text_("remedy"),
    text_("words"),
    of_("projects", nullable=True, index=True),
    moment_("raised_at", nullable=False),
    moment_("cleared_at"),
    one_("uq_alerts_open", "kind", "subject", where="cleared_at IS NULL"),
)
