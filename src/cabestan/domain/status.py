"""The states of runs, ordered in one place."""

from collections.abc import Iterable
from enum import StrEnum


class RunStatus(StrEnum):
    """How a job or a pipeline stands."""

    #: accepted, nothing started
    CREATED = "created"
    #: on its way: a container runs, or at least one job does
    RUNNING = "running"
    #: ended well
    SUCCEEDED = "succeeded"
    #: ended badly; the reason says why
    FAILED = "failed"
    #: ended by a person
    CANCELED = "canceled"
    #: never started, for something before it did not succeed
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        return self in _ENDED


_ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED, RunStatus.SKIPPED})

#: What decides, first, when several jobs make up one status.
_PRECEDENCE = (RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELED)


def merge_status(statuses: Iterable[RunStatus]) -> RunStatus:
    """The status of a pipeline or a stage, from those of its jobs."""
    present = set(statuses)
    if present & {RunStatus.RUNNING, RunStatus.CREATED} and present - {RunStatus.CREATED}:
        return RunStatus.RUNNING
    for status in _PRECEDENCE:
        if status in present:
            return status
    if RunStatus.SUCCEEDED in present:
        return RunStatus.SUCCEEDED
    return RunStatus.SKIPPED if present == {RunStatus.SKIPPED} else RunStatus.CREATED


class DeploymentStatus(StrEnum):
    """How a deployment stands."""

    #: for a person's approval
    WAITING = "waiting"
    #: for the environment to be free
    QUEUED = "queued"
    #: its steps are being done
    RUNNING = "running"
    #: healthy for the watch time, and its routes answered
    SUCCEEDED = "succeeded"
    #: ended badly, with nothing to put back or nothing changed yet
    FAILED = "failed"
    #: ended badly, and the previous release is serving again
    ROLLED_BACK = "rolled_back"
    #: a newer release took its place before it ran
    SUPERSEDED = "superseded"
    #: rejected or canceled by a person
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        return self not in _DEPLOYMENT_OPEN


_DEPLOYMENT_OPEN = frozenset({DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING})
