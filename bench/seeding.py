"""Fills a database with history: many pipelines, each with a job, a release and a deployment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import FIRST_ENVIRONMENTS
from cabestan.domain.pipeline import BuildJob, ImageBuild, Source
from cabestan.domain.target import LOCAL
from cabestan.store import environments, projects
from cabestan.store.database import Database
from cabestan.store.schema import deployments, jobs, pipelines, releases

_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_BLOCK = 2000
_IMAGE = ImageBuild("", "Dockerfile", ".", "bench/seeded")
_SPEC = BuildJob("build", "build", image="cabestan/builder:1", build=_IMAGE)
_COMPOSE = "services: {app: {image: '${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}'}}\n" * 10
_ENDED = ("succeeded", "succeeded", "succeeded", "failed")


def fill(database_url: str, names: list[str], count: int) -> None:
    """`count` pipelines: half of them in the first project, the rest in the others in turn."""
    database = Database(database_url)
    try:
        with database.writing() as tx:
            places = [_place(tx, name) for name in names]
            rows = list(_rows(places, count))
            for table, chosen in ((pipelines, 0), (jobs, 1), (releases, 2), (deployments, 3)):
                _insert(tx, table, (row[chosen] for row in rows))
            for project_id, environment_id in places:
                _set_current(tx, project_id, environment_id)
    finally:
        database.close()


def add_projects(database_url: str, names: list[str]) -> None:
    """With their first environments and without repositories, which no list looks at: a request each takes longer."""
    database = Database(database_url)
    try:
        with database.writing() as tx:
            for name in names:
                made = projects.create(tx, name, "main", _BEGAN)
                for draft in FIRST_ENVIRONMENTS:
                    environments.create(tx, made, draft, LOCAL, 5, made.slug)
    finally:
        database.close()


def _place(tx: sa.Connection, name: str) -> tuple[int, int]:
    """The ids of the project and its staging environment."""
    project_id = projects.get(tx, name).id
    return project_id, environments.get(tx, project_id, "staging").id


def _set_current(tx: sa.Connection, project_id: int, environment_id: int) -> None:
    newest = sa.select(sa.func.max(deployments.c.id)).where(
        deployments.c.project_id == project_id, deployments.c.status == "succeeded"
    )
    environments.update(tx, environment_id, current_deployment_id=tx.execute(newest).scalar())


def _insert(tx: sa.Connection, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    while block := list(islice(rows, _BLOCK)):
        tx.execute(sa.insert(table), block)


def _rows(places: list[tuple[int, int]], count: int) -> Iterator[tuple[dict[str, Any], ...]]:
    numbers: dict[int, int] = {}
    for key in range(1, count + 1):
        project, environment = places[0 if key % 2 else 1 + key // 2 % (len(places) - 1)]
        numbers[project] = numbers.get(project, 0) + 1
        yield _one(key, project, environment, numbers[project])


def _one(key: int, project: int, environment: int, number: int) -> tuple[dict[str, Any], ...]:
    """The rows of one pipeline, its job, its release, its deployment."""
    at = _BEGAN + timedelta(minutes=key)
    times = {"created_at": at, "started_at": at, "finished_at": at + timedelta(seconds=40)}
    commit, status = f"{key:040x}", _ENDED[key % len(_ENDED)]
    source = {"project_id": project, "commit": commit, "branch": "main", "title": f"Change number {key}"}
    of_pipeline = {"project_id": project, "pipeline_id": key}
    return (
        {"id": key, **source, "source": Source.PUSH, "author": "Somebody", "status": status, "by": "admin", **times},
        {**of_pipeline, "position": 0, "name": "build", "spec": _SPEC, "status": status, **times},
        {"id": key, **source, "pipeline_id": key, "number": number, **_texts(commit), "created_at": at},
        {"project_id": project, "environment_id": environment, "release_id": key, "status": status, **times},
    )


def _texts(commit: str) -> dict[str, Any]:
    texts = {"docker-compose.yml": _COMPOSE}
    return {"images": {"a": f"a@sha256:{commit}"}, "compose_file": "docker-compose.yml", "texts": texts}
