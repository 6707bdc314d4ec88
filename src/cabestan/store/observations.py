"""What is seen of environments, the newest of each."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from cabestan.domain.observed import Seen
from cabestan.store.rows import Rows, columns_of
from cabestan.store.schema import observations

_SEEN = Rows(Seen, observations)


def put(tx: sa.Connection, environment_id: int, seen: Seen) -> None:
    own = observations.c.environment_id == environment_id
    values = columns_of(observations, seen)
    if not tx.execute(sa.update(observations).where(own).values(values)).rowcount:
        tx.execute(sa.insert(observations).values(environment_id=environment_id, **values))


def find(tx: sa.Connection, environment_id: int) -> Seen | None:
    return _SEEN.find(tx, observations.c.environment_id == environment_id)


def of(tx: sa.Connection, environment_ids: Iterable[int]) -> Mapping[int, Seen]:
    """By environment; those that were never seen are left out."""
    wanted = observations.c.environment_id.in_(list(environment_ids))
    query = _SEEN.query.add_columns(observations.c.environment_id).where(wanted)
    return {key: _SEEN.make(*row) for *row, key in tx.execute(query)}


def drop(tx: sa.Connection, environment_id: int) -> None:
    tx.execute(sa.delete(observations).where(observations.c.environment_id == environment_id))
