"""What is told of a change: written with it, handed on afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Subject(StrEnum):
    """What has a status that others are told of."""

    PIPELINE = "pipeline"
    JOB = "job"
    RELEASE = "release"
    DEPLOYMENT = "deployment"
    #: its status is the id of the deployment that it serves
    ENVIRONMENT = "environment"
    RUN = "run"
    #: of an environment, as it is seen
    CONDITION = "condition"
    #: of a managed service
    OPERATION = "operation"


@dataclass(frozen=True)
class Event:
    """One change. `topics` are what open pages know it by: `pipeline:5`, `schedules:shop/api`.

    `subject`, `former` and `status` are empty where something else than a status changed: a setting, a step.
    """

    id: int
    #: empty for what is of the whole installation
    project: str
    subject: Subject | None
    #: the id of what changed; 0 where there is no subject
    key: int
    former: str
    status: str
    topics: tuple[str, ...]
    at: datetime

    @property
    def lane(self) -> str:
        """Events of one lane are handed on in the order in which they were written."""
        return f"{self.subject}:{self.key}" if self.subject else f"project:{self.project}"
