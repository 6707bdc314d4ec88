"""A release: the immutable thing that is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """`number` counts within the project. `images` maps what the Compose file writes to a reference by digest.

    `compose` is the Compose file as it stood at the commit, `compose_file` its name.
    """

    id: int
    project_id: int
    project: str
    number: int
    pipeline_id: int
    commit: str
    branch: str
    title: str
    images: Mapping[str, str]
    compose_file: str
    compose: str
    created_at: datetime
