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
from cabestan.store.schema import pipelines, projects, releases
from cabestan.store.values import dump, load_map, load_ports

#: when the newest one for an environment is looked for
_LOOKED_AT = 1000
_WITH_PROJECT = (
    sa.select(
        releases,
        projects.c.name.label("project"),
        projects.c.default_branch,
        pipelines.c.author,
        pipelines.c.author_email,
        pipelines.c.committed_at,
        pipelines.c.message,
        pipelines.c.before,
        pipelines.c.source,
        pipelines.c.by,
        pipelines.c.created_at.label("pipeline_created_at"),
    )
    .join_from(releases, projects, projects.c.id == releases.c.project_id)
    .join(pipelines, pipelines.c.id == releases.c.pipeline_id)
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
    existing = tx.execute(_WITH_PROJECT.where(releases.c.pipeline_id == pipeline.id)).one_or_none()
    if existing:
        return _value(existing)
    highest = sa.select(sa.func.max(releases.c.number)).where(releases.c.project_id == pipeline.project_id)
    row = {
        "project_id": pipeline.project_id,
        "pipeline_id": pipeline.id,
        "number": (tx.execute(highest).scalar() or 0) + 1,
        "commit": pipeline.commit,
        "branch": pipeline.branch,
        "title": pipeline.title,
        "images": dump(dict(images)),
        "compose_file": compose_file,
        "texts": dump(dict(texts)),
        "created_at": now,
        "dotenv": dotenv,
        "variables": dump(travelling(pipeline.variables)),
        "ports": dump(dict(ports or {})),
    }
    key = tx.execute(sa.insert(releases).values(row).returning(releases.c.id)).scalar_one()
    outbox.tell(tx, pipeline.project_id, now, subject=Subject.RELEASE, key=key, status="created")
    return by_id(tx, key)


def by_id(tx: sa.Connection, release_id: int) -> Release:
    return _value(tx.execute(_WITH_PROJECT.where(releases.c.id == release_id)).one())


def get(tx: sa.Connection, project_id: int, number: int) -> Release:
    query = _WITH_PROJECT.where(releases.c.project_id == project_id, releases.c.number == number)
    row = tx.execute(query).one_or_none()
    if not row:
        project = project_store.by_id(tx, project_id).name
        raise NotFound(
            f"There is no release {number} in {project}.", f"`cabestan release list -p {project}` shows them."
        )
    return _value(row)


def latest(tx: sa.Connection, project_id: int) -> Release | None:
    newest = page(tx, project_id, limit=1)
    return newest[0] if newest else None


def newest_for(tx: sa.Connection, environment: Environment) -> Release | None:
    """Of a branch that comes to the environment; None where the last ones are of others."""
    query = _WITH_PROJECT.with_only_columns(releases.c.id, releases.c.branch, projects.c.default_branch)
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
    row = tx.execute(_WITH_PROJECT.where(releases.c.pipeline_id == pipeline_id)).one_or_none()
    return _value(row) if row else None


def titles(tx: sa.Connection, release_ids: Iterable[int]) -> Mapping[int, str]:
    """A release's id to the title of its commit."""
    wanted = frozenset(release_ids)
    rows = tx.execute(sa.select(releases.c.id, releases.c.title).where(releases.c.id.in_(wanted)))
    return {row.id: row.title for row in rows}


def newer(tx: sa.Connection, pipeline: Pipeline) -> Release | None:
    """A release of the same branch from a pipeline that began later than this one."""
    query = _WITH_PROJECT.where(
        releases.c.project_id == pipeline.project_id,
        releases.c.branch == pipeline.branch,
        releases.c.pipeline_id > pipeline.id,
    )
    row = tx.execute(query.order_by(releases.c.pipeline_id.desc()).limit(1)).one_or_none()
    return _value(row) if row else None


def page(tx: sa.Connection, project_id: int, *, before: int | None = None, limit: int = 50) -> tuple[Release, ...]:
    """The newest first; `before` is the number of the last one on the page before."""
    query = _WITH_PROJECT.where(releases.c.project_id == project_id).order_by(releases.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(releases.c.number < before)
    return tuple(_value(row) for row in tx.execute(query))


def _value(row: sa.Row[tuple[object, ...]]) -> Release:
    return Release(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        number=row.number,
        pipeline_id=row.pipeline_id,
        commit=row.commit,
        branch=row.branch,
        title=row.title,
        images=load_map(row.images),
        compose_file=row.compose_file,
        texts=load_map(row.texts),
        created_at=row.created_at,
        dotenv=row.dotenv,
        variables=load_map(row.variables),
        ports=load_ports(row.ports),
        author=f"{row.author} <{row.author_email}>" if row.author_email else row.author,
        committed_at=row.committed_at,
        message=row.message,
        before=row.before,
        source=row.source,
        by=row.by,
        pipeline_created_at=row.pipeline_created_at,
        default_branch=row.default_branch,
    )
