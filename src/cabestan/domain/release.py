"""A release: the immutable thing that is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """`number` counts within the project. `images` maps what the Compose file writes to a reference by digest.

    `texts` has the Compose files as they stood at the commit, and the files that their services extend, by path.
    `compose_file` is the one that counts for environments that name no other; empty where the commit has none.
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
    texts: Mapping[str, str]
    created_at: datetime
