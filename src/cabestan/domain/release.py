"""A release: the immutable thing that is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """`number` counts within the project. `images` maps what the Compose file writes to a reference by digest.

    `texts` has the Compose files as they stood at the commit, and the files that their services extend, by path.
    `compose_file` is the one that counts for environments that name no other; empty where the commit has none.
    `dotenv` is the text of `.env`.
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
    dotenv: str = ""
    #: those that its pipeline was given and that travel with it
    variables: Mapping[str, str] = field(default_factory=dict)
    #: what the Compose file writes for an image to the TCP ports that the image declares, lowest first; those of before
    #: this was kept have none
    ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    #: of the commit: `Name <address>`, and when it was committed
    author: str = ""
    committed_at: datetime | None = None
    #: its message
    message: str = ""
    #: of its pipeline: where the branch stood before, what set it off, and who
    before: str = ""
    source: str = ""
    by: str = ""
    #: when its pipeline was made, and the project's default branch now
    pipeline_created_at: datetime | None = None
    default_branch: str = ""
