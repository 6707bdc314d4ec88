"""Single values of the whole installation."""

import sqlalchemy as sa

from cabestan.store.schema import facts


def get(tx: sa.Connection, name: str) -> str | None:
    return tx.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar_one_or_none()


def put(tx: sa.Connection, name: str, value: str) -> None:
    tx.execute(sa.delete(facts).where(facts.c.name == name))
    tx.execute(sa.insert(facts).values(name=name, value=value))
