"""Pipelines and jobs: what one event set off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from cabestan.domain.status import RunStatus


class JobKind(StrEnum):
    """What a job does, in a container of its own but for the checks."""

    #: builds one image of the commit
    BUILD = "build"
    #: runs a script in an image
    SCRIPT = "script"
    #: checks what stands in the commit, in the server's own process
    LINT = "lint"

    @property
    def in_process(self) -> bool:
        """Without a container."""
        return self is JobKind.LINT


class Source(StrEnum):
    """What set a pipeline off, in GitLab's words."""

    #: commits that reached a branch
    PUSH = "push"
    #: somebody, on the project's page
    WEB = "web"
    #: somebody, through the API or on the command line
    API = "api"


@dataclass(frozen=True)
class ImageBuild:
    """One image to build: what of, and under which references it is pushed.

    `reference` is without the registry's address: `group/project[/name]`. `tags` come beside the commit's.
    `service` names the Compose service that asks for it, where one does.
    """

    name: str
    dockerfile: str
    context: str
    reference: str
    tags: tuple[str, ...] = ()
    service: str = ""
    #: the stage that is built; empty for the last one
    target: str = ""
    #: what its ARGs are given, in the order of the file
    args: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Base:
    """An image that a build takes something from.

    `written` is how its Dockerfile names it, `meant` the reference with its variables filled in. `job` names the job
    of the pipeline that makes it, where one does: then what that pushed is taken.
    """

    written: str
    meant: str
    job: str = ""


@dataclass(frozen=True)
class PlannedJob:
    """What all kinds of jobs have. `needs` names the jobs that must succeed before."""

    kind: ClassVar[JobKind]
    name: str
    stage: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BuildJob(PlannedJob):
    """Builds one image of the commit and pushes it to the registry.

    By the platform's own script, on the engine that the project's builds have for themselves. `image` has the script's
    programs; `environment` is what the script is told.
    """

    kind: ClassVar[JobKind] = JobKind.BUILD
    image: str
    build: ImageBuild
    environment: tuple[tuple[str, str], ...] = ()
    #: references of the platform's own images that must be on the engine before it starts
    base_images: tuple[str, ...] = ()
    #: what it begins with, and takes files from
    bases: tuple[Base, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScriptJob(PlannedJob):
    """Runs a script in an image."""

    kind: ClassVar[JobKind] = JobKind.SCRIPT
    image: str
    script: str
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class LintJob(PlannedJob):
    """Checks what stands in the commit."""

    kind: ClassVar[JobKind] = JobKind.LINT
    #: it is the server that checks
    image: ClassVar[str] = ""


#: What a job does, decided before anything runs: enough to start it again on any day.
JobSpec = BuildJob | ScriptJob | LintJob


@dataclass(frozen=True)
class Pipeline:
    id: int
    project_id: int
    project: str
    commit: str
    branch: str
    title: str
    author: str
    status: RunStatus
    reason: str
    by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    notes: tuple[str, ...] = ()
    #: how often it was begun: once, and once more with each retry
    attempt: int = 1
    #: what whoever started it gave it: its jobs get them, its release those that begin with X_
    variables: Mapping[str, str] = field(default_factory=dict)
    author_email: str = ""
    #: when the commit was made
    committed_at: datetime | None = None
    #: of the commit, its first line included
    message: str = ""
    #: where the branch stood before the push; empty where it was not there, or nothing was pushed
    before: str = ""
    source: Source = Source.PUSH

    @property
    def commit_author(self) -> str:
        """`Name <address>`."""
        return f"{self.author} <{self.author_email}>" if self.author_email else self.author

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


@dataclass(frozen=True)
class Job:
    id: int
    pipeline_id: int
    project_id: int
    position: int
    spec: JobSpec
    status: RunStatus
    reason: str
    attempt: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: of the image that it pushed, `sha256:…`
    digest: str = ""
    #: of its log, where what failed says why; 0 where that is not told
    log_line: int = 0

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def stage(self) -> str:
        return self.spec.stage


#: how the reason begins where the platform itself broke, which another try may not meet
BROKE = "Something went wrong in Cabestan itself"
#: how the reason ends where a release is refused for what stands in the commit
SAME_COMMIT = "Push a new commit: the same one is refused again."
#: how the reason ends where it was canceled for a newer push to its branch
TOOK_ITS_PLACE = "took its place."
_NO_RETRY = (
    "What failed stands in the commit, so the same commit fails again: push a new one. A retry only helps where a rule "
    "was waived, or a variable or setting changed, since."
)


def advice(pipeline: Pipeline, jobs: Iterable[Job]) -> str:
    """What to do about a pipeline that failed, where running it again will not help; else empty."""
    if pipeline.status is not RunStatus.FAILED:
        return ""
    checks = (job for job in jobs if job.spec.kind is JobKind.LINT and job.status is RunStatus.FAILED)
    found = any(not job.reason.startswith(BROKE) for job in checks)
    return _NO_RETRY if found or pipeline.reason.endswith(SAME_COMMIT) else ""


@dataclass(frozen=True)
class Blueprint:
    """The jobs of a pipeline, as the convention (or a pipeline file) has them, before any has run."""

    jobs: tuple[JobSpec, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def builds(self) -> tuple[BuildJob, ...]:
        return tuple(job for job in self.jobs if isinstance(job, BuildJob))


def ready_jobs(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Those that may start now: created, with all that they need succeeded."""
    succeeded = {job.name for job in jobs if job.status is RunStatus.SUCCEEDED}
    return tuple(job for job in jobs if job.status is RunStatus.CREATED and succeeded.issuperset(job.spec.needs))


def unreachable_jobs(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Those that can never start, for something that they need ended otherwise than well (or will not start either)."""
    dead = {job.name for job in jobs if job.status.ended and job.status is not RunStatus.SUCCEEDED}
    found: dict[int, Job] = {}
    while more := [j for j in jobs if j.status is RunStatus.CREATED and j.id not in found and dead & set(j.spec.needs)]:
        found |= {job.id: job for job in more}
        dead |= {job.name for job in more}
    return tuple(found.values())
