"""The values of the variables that Cabestan itself sets; docs/variables.md has what they mean."""

from datetime import datetime
from urllib.parse import urlsplit

import cabestan
from cabestan.compose.placeholder import MARKS
from cabestan.config import Settings
from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import Job, Pipeline
from cabestan.domain.predefined import slugify, tier
from cabestan.domain.project import Project
from cabestan.domain.release import Release

#: where build jobs have their source
_BUILDS = "/tmp"  # noqa: S108 (of a container that nobody else is in)
_NOWHERE = "0" * 40
_LONG_TITLE = 100
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: commits may hold any character; these would be taken for stand-ins of secrets
_WITHOUT_MARKS = dict.fromkeys(map(ord, MARKS))


def of_release(settings: Settings, release: Release, *, protected: bool) -> dict[str, str]:
    """Those that do not depend on the environment."""
    found = {
        **_of_commit(release.commit, release.branch, release.title, release.author, release.committed_at),
        **_of_message(release.title, release.message),
        **_of_push(release.before, release.source, release.by),
        "CI_COMMIT_REF_PROTECTED": _word(protected),
        "CI_DEFAULT_BRANCH": release.default_branch,
        **_of_pipeline(settings, release.project, release.pipeline_id, release.pipeline_created_at),
        **_of_project(settings, release.project_id, release.project),
        **_of_server(settings),
    }
    return {name: value.translate(_WITHOUT_MARKS) for name, value in found.items()}


def of_environment(environment: Environment, domain: str, url: str) -> dict[str, str]:
    return {
        "CI_ENVIRONMENT_ACTION": "start",
        "CI_ENVIRONMENT_ID": str(environment.id),
        "CI_ENVIRONMENT_NAME": environment.name,
        "CI_ENVIRONMENT_SLUG": environment.name.replace("/", "-"),
        "CI_ENVIRONMENT_TIER": tier(environment.name),
        "CI_ENVIRONMENT_DOMAIN": domain,
        "CI_ENVIRONMENT_URL": url,
    }


def of_job(settings: Settings, project: Project, pipeline: Pipeline, job: Job) -> dict[str, str]:
    return {
        **_of_commit(pipeline.commit, pipeline.branch, pipeline.title, pipeline.commit_author, pipeline.committed_at),
        **_of_message(pipeline.title, pipeline.message),
        **_of_push(pipeline.before, pipeline.source, pipeline.by),
        "CI_COMMIT_REF_PROTECTED": _word(project.protects(pipeline.branch)),
        "CI_DEFAULT_BRANCH": project.default_branch,
        **_of_pipeline(settings, project.name, pipeline.id, pipeline.created_at),
        **_of_project(settings, project.id, project.name),
        **_of_server(settings),
        "CI_BUILDS_DIR": _BUILDS,
        "CI_DISPOSABLE_ENVIRONMENT": "true",
        "CI_NODE_TOTAL": "1",
        "CI_PROJECT_DIR": f"{_BUILDS}/source",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_IMAGE": job.spec.image,
        "CI_JOB_NAME": job.name,
        "CI_JOB_NAME_SLUG": slugify(job.name),
        "CI_JOB_STAGE": job.stage,
        "CI_JOB_STARTED_AT": _moment(job.started_at),
        "CI_JOB_TIMEOUT": str(settings.job_seconds),
        "CI_JOB_URL": f"{settings.public_url}/{project.name}/jobs/{job.id}",
        "CI_REPOSITORY_URL": f"{settings.internal_url}/{project.name}.git",
    }


def _of_commit(commit: str, branch: str, title: str, author: str, committed_at: datetime | None) -> dict[str, str]:
    return {
        "CI": "true",
        "CI_COMMIT_AUTHOR": author,
        "CI_COMMIT_BRANCH": branch,
        "CI_COMMIT_REF_NAME": branch,
        "CI_COMMIT_REF_SLUG": slugify(branch),
        "CI_COMMIT_SHA": commit,
        "CI_COMMIT_SHORT_SHA": commit[:8],
        "CI_COMMIT_TIMESTAMP": _moment(committed_at),
        "CI_COMMIT_TITLE": title,
    }


def _of_message(title: str, message: str) -> dict[str, str]:
    """The description is the message without its first line, unless that was too long to be a title."""
    rest = message.partition("\n")[2].strip("\n")
    return {"CI_COMMIT_DESCRIPTION": rest if len(title) < _LONG_TITLE else message, "CI_COMMIT_MESSAGE": message}


def _of_push(before: str, source: str, by: str) -> dict[str, str]:
    return {
        "CI_COMMIT_BEFORE_SHA": before or _NOWHERE,
        "CI_PIPELINE_SOURCE": source,
        "GITLAB_USER_LOGIN": by,
        "GITLAB_USER_NAME": by,
    }


def _of_pipeline(settings: Settings, project: str, pipeline_id: int, created_at: datetime | None) -> dict[str, str]:
    return {
        "CI_PIPELINE_CREATED_AT": _moment(created_at),
        "CI_PIPELINE_ID": str(pipeline_id),
        "CI_PIPELINE_URL": f"{settings.public_url}/{project}/pipelines/{pipeline_id}",
    }


def _of_project(settings: Settings, project_id: int, name: str) -> dict[str, str]:
    group, _, short_name = name.partition("/")
    return {
        "CI_PROJECT_ID": str(project_id),
        "CI_PROJECT_NAME": short_name,
        "CI_PROJECT_NAMESPACE": group,
        "CI_PROJECT_NAMESPACE_SLUG": slugify(group),
        "CI_PROJECT_PATH": name,
        "CI_PROJECT_PATH_SLUG": slugify(name),
        "CI_PROJECT_ROOT_NAMESPACE": group,
        "CI_PROJECT_TITLE": short_name,
        "CI_PROJECT_URL": f"{settings.public_url}/{name}",
        "CI_PROJECT_VISIBILITY": "private",
        "CI_REGISTRY": settings.registry,
        "CI_REGISTRY_IMAGE": f"{settings.registry}/{name}",
    }


def _of_server(settings: Settings) -> dict[str, str]:
    address = urlsplit(settings.public_url)
    host = address.hostname or ""
    port = address.port or _DEFAULT_PORTS.get(address.scheme, 0)
    major, minor, patch = (*cabestan.__version__.split("."), "0", "0")[:3]
    return {
        "CI_SERVER": "yes",
        "CI_SERVER_FQDN": host if port == _DEFAULT_PORTS.get(address.scheme) else f"{host}:{port}",
        "CI_SERVER_HOST": host,
        "CI_SERVER_NAME": "Cabestan",
        "CI_SERVER_PORT": str(port),
        "CI_SERVER_PROTOCOL": address.scheme,
        "CI_SERVER_URL": settings.public_url,
        "CI_SERVER_VERSION": cabestan.__version__,
        "CI_SERVER_VERSION_MAJOR": major,
        "CI_SERVER_VERSION_MINOR": minor,
        "CI_SERVER_VERSION_PATCH": patch,
    }


def _moment(value: datetime | None) -> str:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else ""


def _word(value: bool) -> str:
    return "true" if value else "false"
