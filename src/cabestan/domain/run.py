"""Runs: a service of a stack that was started once and ran, or runs, to its end."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cabestan.domain.status import RunStatus


class RunKind(StrEnum):
    """What a run belongs to."""

    #: a deployment: it is one of its steps
    ONE_SHOT = "one-shot"
    #: a schedule
    CRON = "cron"


class Cause(StrEnum):
    """Why a run is there."""

    #: its deployment was being done
    DEPLOYMENT = "deployment"
    #: it was time
    DUE = "due"
    #: one or several due times had passed while nobody could start it
    CATCH_UP = "catch-up"
    #: somebody asked for it
    ASKED = "asked"


@dataclass(frozen=True)
class Run:
    """`deployment_id` says which release, variables and secrets it runs with."""

    id: int
    kind: RunKind
    project_id: int
    project: str
    environment_id: int
    environment: str
    #: of the environment
    target: str
    deployment_id: int
    release: int
    service: str
    #: None for what a deployment runs
    schedule_id: int | None
    due_at: datetime | None
    cause: Cause
    by: str
    status: RunStatus
    reason: str
    #: counts from 1; more where it failed and is tried again
    attempt: int
    #: how often it is tried at most
    attempts: int
    #: how long one attempt may take
    seconds: int
    created_at: datetime
    started_at: datetime | None = None
    #: when its present attempt began
    attempt_at: datetime | None = None
    finished_at: datetime | None = None

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)
