"""Releases: written once, never changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.release import Release
from cabestan.domain.variable import travelling
from cabestan.errors import NotFound
from cabestan.store import outbox
from cabestan.store import projects as project_store
from cabestan.store.rows import Rows
from cabestan.store.schema import pipelines, projects, releases

#: when the newest one for an environment is looked for
_LOOKED_AT = 1000
_RELEASES = Rows(
    Release,
    releases,
    releases.join(projects).join(pipelines, pipelines.c.id == releases.c.pipeline_id),
    project=projects.c.name,
    default_branch=projects.c.default_branch,
    author=sa.case(
        (pipelines.c.author_email != "", pipelines.c.author + " <" + pipelines.c.author_email + ">"),
        else_=pipelines.c.author,
    ),
    committed_at=pipelines.c.committed_at,
    message=pipelines.c.message,
    before=pipelines.c.before,
    source=pipelines.c.source,
    by=pipelines.c.by,
    pipeline_created_at=pipelines.c.created_at,
)


def create(
    tx: sa.Connection,
    pipeline: Pipeline,
    images: Mapping[str, str],
    compose_file: str,
    texts: Mapping[str, str],
    now: datetime,
    *,
    ports: Mapping[str, tuple[int, ...]] | None = None,
    dotenv: str = "",
) -> Release:
    """The release of a pipeline, with its variables that travel: a second call gives the one that there is."""
    if existing := of_pipeline(tx, pipeline.id):
        return existing
    highest = sa.select(sa.func.max(releases.c.number)).where(releases.c.project_id == pipeline.project_id)
    key = _RELEASES.add(
        tx,
        project_id=pipeline.project_id,
        pipeline_id=pipeline.id,
        number=(tx.execute(highest).scalar() or 0) + 1,
        commit=pipeline.commit,
        branch=pipeline.branch,
        title=pipeline.title,
        images=images,
        compose_file=compose_file,
        texts=texts,
        created_at=now,
        dotenv=dotenv,
        variables=travelling(pipeline.variables),
        ports=ports or {},
    )
    outbox.tell(tx, pipeline.project_id, now, subject=Subject.RELEASE, key=key, status="created")
    return by_id(tx, key)


def by_id(tx: sa.Connection, release_id: int) -> Release:
    return _RELEASES.one(tx, release_id)


def get(tx: sa.Connection, project_id: int, number: int) -> Release:
    found = _RELEASES.find(tx, releases.c.project_id == project_id, releases.c.number == number)
    if not found:
        project = project_store.by_id(tx, project_id).name
        raise NotFound(
            f"There is no release {number} in {project}.", f"`cabestan release list -p {project}` shows them."
        )
    return found


def latest(tx: sa.Connection, project_id: int) -> Release | None:
    return _RELEASES.latest(tx, releases.c.project_id == project_id, by=releases.c.number)


def newest_for(tx: sa.Connection, environment: Environment) -> Release | None:
    """Of a branch that comes to the environment; None where the last ones are of others."""
    query = _RELEASES.query.with_only_columns(releases.c.id, releases.c.branch, projects.c.default_branch)
    query = query.where(releases.c.project_id == environment.project_id).order_by(releases.c.number.desc())
    rows = tx.execute(query.limit(_LOOKED_AT))
    return next((by_id(tx, row.id) for row in rows if environment.takes(row.branch, row.default_branch)), None)


def chosen(tx: sa.Connection, environment: Environment, number: int | None) -> Release:
    """The one with the number, or the newest for the environment where none is given; raises NotFound."""
    if number is not None:
        return get(tx, environment.project_id, number)
    newest = newest_for(tx, environment) or latest(tx, environment.project_id)
    if not newest:
        raise NotFound("This project has no release yet.", "Push a commit; a good pipeline makes one.")
    return newest


def of_pipeline(tx: sa.Connection, pipeline_id: int) -> Release | None:
    return _RELEASES.find(tx, releases.c.pipeline_id == pipeline_id)


def titles(tx: sa.Connection, release_ids: Iterable[int]) -> Mapping[int, str]:
    """A release's id to the title of its commit."""
    wanted = frozenset(release_ids)
    rows = tx.execute(sa.select(releases.c.id, releases.c.title).where(releases.c.id.in_(wanted)))
    return {row.id: row.title for row in rows}


def newer(tx: sa.Connection, pipeline: Pipeline) -> Release | None:
    """A release of the same branch from a pipeline that began later than this one."""
    of_branch = (releases.c.project_id == pipeline.project_id, releases.c.branch == pipeline.branch)
    return _RELEASES.latest(tx, *of_branch, releases.c.pipeline_id > pipeline.id, by=releases.c.pipeline_id)


def page(tx: sa.Connection, project_id: int, *, before: int | None = None, limit: int = 50) -> tuple[Release, ...]:
    """The newest first; `before` is the number of the last one on the page before."""
    of_project = releases.c.project_id == project_id
    return _RELEASES.newest(tx, of_project, by=releases.c.number, before=before, limit=limit)


def of_number(tx: sa.Connection, number: int, project_ids: Iterable[int], limit: int) -> tuple[Release, ...]:
    """Those of the number in these projects: each counts its own."""
    query = _RELEASES.query.where(releases.c.number == number, releases.c.project_id.in_(list(project_ids)))
    return _RELEASES.read(tx, query.order_by(projects.c.name).limit(limit))
