"""What is to be told of changes: written in the transaction of the change itself, read by those who hand it on."""

from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.outbox import Event, Subject
from cabestan.store.rows import PROJECT_OR_NONE, Rows
from cabestan.store.schema import Word, outbox, outbox_cursors, outbox_retries, projects

_EVENTS = Rows(
    Event,
    outbox,
    outbox.outerjoin(projects),
    project=PROJECT_OR_NONE,
    subject=sa.func.nullif(outbox.c.subject, "", type_=Word(Subject)),
)


def tell(
    tx: sa.Connection,
    project_id: int | None,
    now: datetime,
    *topics: str,
    subject: Subject | None = None,
    key: int = 0,
    former: str = "",
    status: str = "",
) -> None:
    """Something of the project has changed, or of the whole installation; the further topics in it."""
    words = {"subject": subject or "", "former": former, "status": status}
    _EVENTS.add(tx, project_id=project_id, key=key, topics=topics, at=now, **words)


def newest(tx: sa.Connection) -> int:
    """0 where there is none."""
    return int(tx.execute(sa.select(sa.func.max(outbox.c.id))).scalar() or 0)


def after(tx: sa.Connection, event_id: int, limit: int) -> tuple[Event, ...]:
    """The next ones, in the order in which they were written."""
    return _EVENTS.read(tx, _EVENTS.query.where(outbox.c.id > event_id).order_by(outbox.c.id).limit(limit))


def drop(tx: sa.Connection, before: datetime) -> None:
    """What all consumers were handed goes, once it is old enough."""
    slowest = tx.execute(sa.select(sa.func.min(outbox_cursors.c.event_id))).scalar()
    handed = newest(tx) if slowest is None else int(slowest)
    waiting = sa.select(outbox_retries.c.event_id)
    tx.execute(sa.delete(outbox).where(outbox.c.at < before, outbox.c.id <= handed, outbox.c.id.not_in(waiting)))


def cursor(tx: sa.Connection, consumer: str) -> int | None:
    """The newest event that it was handed; None for one that never was."""
    query = sa.select(outbox_cursors.c.event_id).where(outbox_cursors.c.consumer == consumer)
    found = tx.execute(query).scalar_one_or_none()
    return None if found is None else int(found)


def set_cursor(tx: sa.Connection, consumer: str, event_id: int) -> None:
    own = outbox_cursors.c.consumer == consumer
    if not tx.execute(sa.update(outbox_cursors).where(own).values(event_id=event_id)).rowcount:
        tx.execute(sa.insert(outbox_cursors).values(consumer=consumer, event_id=event_id))


def retries(tx: sa.Connection, consumer: str) -> tuple[tuple[Event, int, datetime], ...]:
    """What it is to be handed again, with how often it was and when: in the order in which it was written."""
    query = _EVENTS.query.add_columns(outbox_retries.c.attempts, outbox_retries.c.again_at)
    query = query.join(outbox_retries, outbox_retries.c.event_id == outbox.c.id)
    found = tx.execute(query.where(outbox_retries.c.consumer == consumer).order_by(outbox.c.id))
    return tuple((_EVENTS.make(*event), attempts, again_at) for *event, attempts, again_at in found)


def put_retry(tx: sa.Connection, consumer: str, event_id: int, attempts: int, reason: str, again_at: datetime) -> None:
    drop_retry(tx, consumer, event_id)
    values = {"attempts": attempts, "reason": reason, "again_at": again_at}
    tx.execute(sa.insert(outbox_retries).values(consumer=consumer, event_id=event_id, **values))


def drop_retry(tx: sa.Connection, consumer: str, event_id: int) -> None:
    own = (outbox_retries.c.consumer == consumer) & (outbox_retries.c.event_id == event_id)
    tx.execute(sa.delete(outbox_retries).where(own))
