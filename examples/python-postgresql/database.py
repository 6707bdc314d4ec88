"""The connection to the database, as the environment describes it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection


@contextmanager
def database() -> Iterator[connection]:
    """One transaction: committed at the end, rolled back where something goes wrong."""
    db = psycopg2.connect(
        host="postgresql",
        dbname=os.environ["POSTGRES_DB"],
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        sslmode="require" if os.environ.get("POSTGRES_SSL") == "true" else "prefer",
    )
    try:
        with db:
            yield db
    finally:
        db.close()
