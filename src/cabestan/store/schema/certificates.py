"""Certificates with their sealed keys."""

import sqlalchemy as sa

from cabestan.store.schema.columns import id_, metadata, moment_, of_, text_

#: the own authority, what it signed, and what people brought; `hosts` is a list as JSON
certificates = sa.Table(
    "certificates",
    metadata,
    id_(),
    of_("projects", nullable=True, index=True),
    text_("kind"),
    text_("hosts"),
    text_("chain"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    text_("issuer"),
    text_("fingerprint", unique=True),
    text_("by"),
    moment_("not_before", nullable=False),
    moment_("not_after", nullable=False),
)
