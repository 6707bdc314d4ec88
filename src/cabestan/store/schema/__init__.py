"""The tables, one module per area. Times are milliseconds since 1970 in UTC; lists and maps are JSON text."""

from cabestan.store.schema.alerts import alerts
from cabestan.store.schema.certificates import certificates
from cabestan.store.schema.columns import Moment, Word, metadata
from cabestan.store.schema.core import (
    approvals,
    deployments,
    environments,
    events,
    facts,
    jobs,
    memberships,
    pipelines,
    projects,
    refs,
    releases,
    settings,
    steps,
    tokens,
    users,
)
from cabestan.store.schema.deletions import deletions, last_backups, used_ids
from cabestan.store.schema.hosts import host_claims, host_rules
from cabestan.store.schema.managed import backups, database_operations, managed_services, managed_settings
from cabestan.store.schema.observations import observations
from cabestan.store.schema.outbox import outbox, outbox_cursors, outbox_retries
from cabestan.store.schema.runs import runs, schedules
from cabestan.store.schema.uptime import outages, tallies
from cabestan.store.schema.waivers import waivers

__all__ = [
    "Moment",
    "Word",
    "alerts",
    "approvals",
    "backups",
    "certificates",
    "database_operations",
    "deletions",
    "deployments",
    "environments",
    "events",
    "facts",
    "host_claims",
    "host_rules",
    "jobs",
    "last_backups",
    "managed_services",
    "managed_settings",
    "memberships",
    "metadata",
    "observations",
    "outages",
    "outbox",
    "outbox_cursors",
    "outbox_retries",
    "pipelines",
    "projects",
    "refs",
    "releases",
    "runs",
    "schedules",
    "settings",
    "steps",
    "tallies",
    "tokens",
    "used_ids",
    "users",
    "waivers",
]
