"""Certificates with their sealed keys."""

import sqlalchemy as sa

from cabestan.domain.certificate import CertificateKind
from cabestan.store.schema.columns import Texts, id_, json_, metadata, moment_, of_, text_, word_

#: the own authority, what it signed, and what people brought
certificates = sa.Table(
    "certificates",
    metadata,
    id_(),
    of_("projects", nullable=True, index=True),
    word_("kind", CertificateKind),
    json_("hosts", Texts),
    text_("chain"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    text_("issuer"),
    text_("fingerprint", unique=True),
    text_("by"),
    moment_("not_before", nullable=False),
    moment_("not_after", nullable=False),
)
