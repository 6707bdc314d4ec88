"""Search over projects, environments and pipelines."""

from dataclasses import dataclass, replace

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project
from cabestan.errors import NotFound
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.answers import Asked, html
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.listing import visible_projects

router = APIRouter()
_MOST_HITS = 50
_SHORTEST_COMMIT = 4
_LARGEST_ID = 2**62


@dataclass(frozen=True)
class Hit:
    text: str
    href: str
    kind: str


@router.get("/search")
def search(visitor: SignedIn, services: Wired, q: Asked = "") -> Response:
    query = q.strip().lower()
    with services.database.reading() as tx:
        projects = visible_projects(tx, visitor.user) if query else ()
        hits = _hits(tx, projects, query)
        pipelines = _pipelines(tx, projects, query)
    frame = replace(plain_frame(visitor, "Search", href="/search"), query=q)
    return html("search.html", frame, query=q, hits=hits, pipelines=pipelines, now=services.now())


def _hits(tx: sa.Connection, projects: tuple[Project, ...], query: str) -> tuple[Hit, ...]:
    found = [Hit(p.name, f"/{p.name}", "project") for p in projects if query in p.name]
    names = {project.name for project in projects}
    for e in environment_store.all_environments(tx) if names else ():
        if e.project in names and query in e.name:
            found.append(Hit(f"{e.project} {e.name}", f"/{e.project}/environments/{e.name}", "environment"))
    return tuple(found[:_MOST_HITS])


def _pipelines(tx: sa.Connection, projects: tuple[Project, ...], query: str) -> tuple[Pipeline, ...]:
    """By number first, then by the beginning of the commit."""
    keys = {project.id for project in projects}
    number = _number(query)
    by_number = tuple(p for p in _by_id(tx, number) if p.project_id in keys) if number else ()
    is_commit = len(query) >= _SHORTEST_COMMIT and not set(query) - set("0123456789abcdef")
    by_commit = pipeline_store.of_commit(tx, query, keys) if keys and is_commit else ()
    return by_number + tuple(p for p in by_commit if p not in by_number)


def _number(query: str) -> int:
    digits = query.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and int(digits) < _LARGEST_ID else 0


def _by_id(tx: sa.Connection, pipeline_id: int) -> tuple[Pipeline, ...]:
    try:
        return (pipeline_store.get(tx, pipeline_id),)
    except NotFound:
        return ()
