"""What was taken away, and what was kept of it."""

import sqlalchemy as sa

from cabestan.domain.deletion import DeletionKind, DeletionStatus
from cabestan.store.schema.columns import Id, id_, metadata, moment_, of_, one_, text_, word_

#: on record; what they are about may be gone, so that they refer to it by its name and number alone
deletions = sa.Table(
    "deletions",
    metadata,
    id_(),
    word_("kind", DeletionKind),
    sa.Column("project_id", Id, nullable=False, index=True),
    text_("project"),
    sa.Column("environment_id", Id, nullable=False, server_default="0"),
    text_("environment"),
    text_("volume"),
    text_("by"),
    sa.Column("saving", sa.Boolean, nullable=False, server_default=sa.true()),
    word_("status", DeletionStatus),
    text_("at"),
    text_("detail"),
    moment_("created_at", nullable=False),
    moment_("finished_at"),
    #: one at a time of a thing
    one_("uq_deletions_running", "project_id", "environment_id", "volume", where="status = 'running'"),
)

#: the last backups of what is gone, until their time has come
last_backups = sa.Table(
    "last_backups",
    metadata,
    id_(),
    of_("deletions", index=True),
    text_("kind"),
    text_("project"),
    text_("environment"),
    text_("name"),
    text_("file", unique=True),
    sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
    text_("sha256"),
    sa.Column("here", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("remote", sa.Boolean, nullable=False, server_default=sa.false()),
    moment_("created_at", nullable=False),
    moment_("kept_until", nullable=False),
)

#: how far the numbers of a table had come when rows of it were deleted: none is given a second time
used_ids = sa.Table(
    "used_ids",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last", Id, nullable=False),
)
