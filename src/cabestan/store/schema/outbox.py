"""What is to be told of changes, and how far each of those who are told has come."""

import sqlalchemy as sa

from cabestan.store.schema.columns import Id, Texts, id_, json_, metadata, moment_, of_, text_

outbox = sa.Table(
    "outbox",
    metadata,
    id_(),
    of_("projects", nullable=True),
    text_("subject"),
    sa.Column("key", Id, nullable=False, server_default="0"),
    text_("former"),
    text_("status"),
    json_("topics", Texts, server_default="[]"),
    moment_("at", nullable=False),
    # cursors point beyond what was dropped: an id is never given a second time
    sqlite_autoincrement=True,
)

#: the newest event that a consumer was handed
outbox_cursors = sa.Table(
    "outbox_cursors",
    metadata,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("event_id", Id, nullable=False),
)

#: what a consumer did not take, to be handed to it again
outbox_retries = sa.Table(
    "outbox_retries",
    metadata,
    sa.Column("consumer", sa.Text, primary_key=True),
    of_("outbox", "event_id", primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    text_("reason"),
    moment_("again_at", nullable=False),
)
