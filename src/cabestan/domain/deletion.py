"""Taking away what was made: a project, an environment, a volume. What it takes along, and what of it is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cabestan.errors import Invalid

_PLURALS = {"variable and secret": "variables and secrets", "branch or tag": "branches and tags"}


class DeletionKind(StrEnum):
    """What is taken away."""

    #: with its environments, its repository and all that was made of it
    PROJECT = "project"
    #: with what runs there, its networks, volumes and databases
    ENVIRONMENT = "environment"
    #: one that nothing which is deployed has
    VOLUME = "volume"


class DeletionStatus(StrEnum):
    #: accepted: it waits for what is under way, or is at it
    RUNNING = "running"
    #: nothing of it is left but what was kept
    SUCCEEDED = "succeeded"
    #: something is left; it may be asked for again
    FAILED = "failed"


@dataclass(frozen=True)
class Deletion:
    """`project` and `environment` are names, which may be gone; `volume` is one alone, empty for the whole.

    `saving`: whether data is backed up a last time. `at` says what is being done, `detail` why it failed.
    """

    id: int
    kind: DeletionKind
    project_id: int
    project: str
    environment_id: int
    environment: str
    volume: str
    by: str
    saving: bool
    status: DeletionStatus
    at: str
    detail: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def name(self) -> str:
        """What has to be typed to have it deleted."""
        return self.volume or self.environment or self.project

    @property
    def what(self) -> str:
        """`the environment staging of shop/api`."""
        if self.kind is DeletionKind.PROJECT:
            return f"the project {self.project}"
        return f"the {self.kind} {self.name} of {self.project}"


@dataclass(frozen=True)
class LastBackup:
    """A backup of what was deleted. `kind` is `volume`, or a managed service's; `file` lies in the folder of backups.

    `here` and `remote` say where it is; after `kept_until` it goes.
    """

    id: int
    deletion_id: int
    kind: str
    project: str
    environment: str
    name: str
    file: str
    bytes: int
    sha256: str
    here: bool
    remote: bool
    created_at: datetime
    kept_until: datetime


@dataclass(frozen=True)
class Going:
    """One line of what goes: `3 volumes`, with their names where these tell something; `kept` says what stays of it."""

    count: int
    noun: str
    names: tuple[str, ...] = ()
    kept: str = ""

    @property
    def words(self) -> str:
        plural = f"{self.noun[:-1]}ies" if self.noun.endswith("y") else f"{self.noun}s"
        return f"{self.count:,} {self.noun if self.count == 1 else _PLURALS.get(self.noun, plural)}"


def check_confirmed(given: str, name: str, thing: str) -> None:
    """Raises Invalid where another name was typed than that of what is to go."""
    if given != name:
        typed = f"“{given[:80]}” is not the name of this {thing}" if given else f"The name of the {thing} is missing"
        raise Invalid(f"{typed}, so nothing was deleted.", f"Type {name} to delete it: `--confirm {name}`.")
