"""What each kind of job runs as: the container, what must be there before it, and what it is told in secret."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, assert_never

from cabestan.adapters.build_gate import GATE_FOLDER
from cabestan.adapters.builders import RUN_FOLDER
from cabestan.adapters.images.builder import proxies
from cabestan.adapters.job_containers import TOKEN_FILE, JobContainer, Limits, Volume
from cabestan.domain import docker_names
from cabestan.domain.pipeline import BuildJob, Job, LintJob, Pipeline, ScriptJob
from cabestan.domain.project import Project
from cabestan.engine.building import build_sources, builders
from cabestan.engine.registry_login import registry_login
from cabestan.engine.services import Services
from cabestan.engine.variables import levels, predefined
from cabestan.pipeline.build_script import BUILD_SCRIPT
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store

_SHELL = ("/bin/bash", "-c")


class Runner(Protocol):
    """One job that runs in a container."""

    @property
    def base_images(self) -> tuple[str, ...]:
        """References of the platform's own images that must be on the engine."""

    @property
    def secret(self) -> Callable[[], str] | None:
        """What follows the job's own token in its `TOKEN_FILE`; None where it gets no such file."""

    def prepare(self) -> None:
        """Has there be what its container speaks to."""

    def container(self, attempt: int, /) -> JobContainer: ...


def runner_of(services: Services, job: Job) -> Runner | None:
    """None for what the server does in its own process."""
    spec = job.spec
    match spec:
        case BuildJob():
            return _Build(services, job, spec)
        case ScriptJob():
            return _Script(services, job, spec)
        case LintJob():
            return None
        case _:
            assert_never(spec)


@dataclass(frozen=True)
class _Build:
    """By our own script of today, in the image that it is made for; it alone speaks to the project's builder."""

    services: Services
    job: Job
    spec: BuildJob

    @property
    def base_images(self) -> tuple[str, ...]:
        return self.spec.base_images

    @property
    def secret(self) -> Callable[[], str]:
        return self._registry_token

    def prepare(self) -> None:
        builders.ensure(self.services, self.job.project_id, self.job.id)

    def container(self, attempt: int) -> JobContainer:
        project, pipeline, given = _told(self.services, self.job)
        socket = docker_names.builder_socket(self.services.settings.instance, project.id)
        return JobContainer(
            image=builders.IMAGE,
            command=(*_SHELL, BUILD_SCRIPT),
            # rows of earlier versions know no stages
            environment={"TARGET": "", **given, **self._of_script(project, pipeline, attempt)},
            limits=Limits(self.services.settings.job_seconds),
            volumes=(
                Volume(socket, RUN_FOLDER),
                Volume(docker_names.gate(self.services.settings.instance), GATE_FOLDER, read_only=True),
            ),
        )

    def _of_script(self, project: Project, pipeline: Pipeline, attempt: int) -> dict[str, str]:
        """What `RUN --mount=type=cache` keeps is not shared between branches that anybody pushes to and protected
        ones.
        """
        proxied = proxies(os.environ)
        return {
            **proxied,
            "PROXY_ARGUMENTS": " ".join(proxied),
            "TOKEN_FILE": TOKEN_FILE,
            "ATTEMPT": str(attempt),
            "CACHE": "protected" if project.protects(pipeline.branch) else "others",
        }

    def _registry_token(self) -> str:
        """What the job may do in the registry, for as long as it may run."""
        services = self.services
        with services.database.reading() as tx:
            project = store.get(tx, self.job.pipeline_id).project
        rights = build_sources.beginning(services, self.job).rights(project, self.spec.build)
        login = registry_login(services.settings, services.vault)
        return login.token(rights, to=f"job {self.job.id}", seconds=services.settings.job_seconds)


@dataclass(frozen=True)
class _Script:
    services: Services
    job: Job
    spec: ScriptJob

    base_images: tuple[str, ...] = ()
    secret: Callable[[], str] | None = None

    def prepare(self) -> None:
        """It speaks to nobody."""

    def container(self, _attempt: int) -> JobContainer:
        _, _, given = _told(self.services, self.job)
        limits = Limits(self.services.settings.job_seconds)
        return JobContainer(self.spec.image, (*_SHELL, self.spec.script), given, limits)


def _told(services: Services, job: Job) -> tuple[Project, Pipeline, Mapping[str, str]]:
    """Whose job it is, and its variables: what people set, over that the job's own, over all the platform's."""
    with services.database.reading() as tx:
        pipeline = store.get(tx, job.pipeline_id)
        project = project_store.by_id(tx, job.project_id)
        given = levels.job_variables(tx, project, pipeline, job)
    own = {} if isinstance(job.spec, LintJob) else dict(job.spec.environment)
    return project, pipeline, {**given, **own, **predefined.of_job(services.settings, project, pipeline, job)}
