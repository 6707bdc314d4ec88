#!/usr/bin/env python3
"""Brings the database up to date: each file of `migrations` once, in the order of their names.

All in one transaction, and alone: where one fails, nothing has changed.
"""

from pathlib import Path

from database import database

MIGRATIONS = Path(__file__).parent / "migrations"

with database() as db, db.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(1)")
    cursor.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, done_at timestamptz DEFAULT now())")
    cursor.execute("SELECT name FROM migrations")
    done = {name for (name,) in cursor.fetchall()}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if file.name not in done:
            print(f"migrating: {file.name}", flush=True)
            cursor.execute(file.read_text())
            cursor.execute("INSERT INTO migrations (name) VALUES (%s)", (file.name,))
print("the database is up to date", flush=True)
