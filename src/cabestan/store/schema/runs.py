"""Services that run once or by the clock: schedules and runs."""

import sqlalchemy as sa

from cabestan.domain.run import Cause, RunKind
from cabestan.domain.schedule import Overlap
from cabestan.domain.status import RunStatus
from cabestan.store.schema.columns import Id, id_, metadata, moment_, of_, one_, text_, word_

#: one per environment and service; `removed` ones keep their history
schedules = sa.Table(
    "schedules",
    metadata,
    id_(),
    of_("projects", index=True),
    of_("environments"),
    of_("deployments", index=True),
    text_("service"),
    text_("expression"),
    text_("command"),
    word_("overlap", Overlap),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("retries", sa.Integer, nullable=False),
    moment_("next_due"),
    text_("paused_by"),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("environment_id", "service", name="uq_schedules_environment_id"),
)

#: a row is the promise that something runs, and that it runs once
runs = sa.Table(
    "runs",
    metadata,
    id_(),
    word_("kind", RunKind),
    of_("projects", index=True),
    of_("environments", index=True),
    of_("deployments", index=True),
    text_("service"),
    sa.Column("schedule_id", Id, sa.ForeignKey("schedules.id", ondelete="CASCADE"), nullable=True),
    moment_("due_at"),
    word_("cause", Cause),
    text_("by"),
    word_("status", RunStatus),
    text_("reason"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("seconds", sa.Integer, nullable=False),
    #: why it shall end before its time; empty where it shall not
    text_("cancel"),
    moment_("created_at", nullable=False),
    moment_("started_at"),
    #: when its present attempt began
    moment_("attempt_at"),
    moment_("finished_at"),
    #: once per due time, whatever the code above does
    sa.UniqueConstraint("schedule_id", "due_at", name="uq_runs_schedule_id"),
    sa.Index("ix_runs_schedule_id_id", "schedule_id", "id"),
    sa.Index("ix_runs_status", "status"),
    #: once per deployment too
    one_("uq_runs_one_shot", "deployment_id", "service", where="kind = 'one-shot'"),
)
