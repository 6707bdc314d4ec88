"""Schedules: services that run by the clock, and what to do when they are due."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from cabestan.domain.run import Cause
from cabestan.domain.status import RunStatus


class Overlap(StrEnum):
    """What happens when a run is due while the one before has not ended."""

    #: it is skipped
    FORBID = "forbid"
    #: it runs beside the other
    ALLOW = "allow"
    #: the other is stopped, and it takes its place
    REPLACE = "replace"


@dataclass(frozen=True)
class Timetable:
    """What a service of a release asks for. `expression` has five fields; `seconds` bounds one attempt."""

    service: str
    expression: str
    command: str
    overlap: Overlap
    seconds: int
    retries: int


@dataclass(frozen=True)
class Schedule:
    """A timetable of the release that serves on an environment. `next_due` is None where it is never due again."""

    id: int
    project_id: int
    project: str
    environment_id: int
    environment: str
    deployment_id: int
    timetable: Timetable
    time_zone: str
    next_due: datetime | None
    paused_by: str = ""
    #: no release that serves has it any more; its history stays
    removed: bool = False

    @property
    def service(self) -> str:
        return self.timetable.service

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


#: A run that begins later than this after its due time counts as missed, and made up for.
ON_TIME = timedelta(seconds=60)


@dataclass(frozen=True)
class Firing:
    """What to do at a due time: a run that is started, or that is skipped for a reason. `missed` passed unseen."""

    due: datetime
    cause: Cause
    status: RunStatus
    reason: str
    missed: int
    #: whether runs that have not ended are stopped for it
    replaces: bool


def may_prepare(schedule: Schedule, *, busy: bool) -> bool:
    """Ahead of its time: not where a run that goes on may end until then, or may have to be stopped only then."""
    return not busy or schedule.timetable.overlap is Overlap.ALLOW


def decide_firing(schedule: Schedule, due_times: Sequence[datetime], now: datetime, *, busy: bool) -> Firing:
    """`due_times` are those from the schedule's next one until now, of which the last is made up for, once.

    `busy`: a run of the schedule has not ended.
    """
    due = due_times[-1]
    missed = len(due_times) - 1 + (now - due > ON_TIME)
    cause = Cause.CATCH_UP if missed else Cause.DUE
    if busy and schedule.timetable.overlap is Overlap.FORBID:
        reason = "The run before had not ended, and the schedule forbids two at once."
        return Firing(due, cause, RunStatus.SKIPPED, reason, missed, False)
    return Firing(due, cause, RunStatus.CREATED, "", missed, busy and schedule.timetable.overlap is Overlap.REPLACE)
