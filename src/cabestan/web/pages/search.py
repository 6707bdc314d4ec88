"""Search over all that a visitor may see: each kind by itself, and of each the first ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, User, may_in_group
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import hosts as host_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases as release_store
from cabestan.store import users as user_store
from cabestan.store import variables as variable_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.addresses import environment_href, href
from cabestan.web.pages.answers import Asked, html
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.listing import visible_projects

router = APIRouter()
#: of each kind
MOST = 20
_SHORTEST_COMMIT = 4
_LARGEST_ID = 2**62


@dataclass(frozen=True)
class Hit:
    """`detail` stands beside the text, and tells where it is."""

    text: str
    href: str
    detail: str = ""


@dataclass(frozen=True)
class Kind:
    """What was found of one kind; `more` where that is not all of it."""

    title: str
    hits: tuple[Hit, ...]
    more: bool

    @classmethod
    def of(cls, title: str, found: Iterable[Hit]) -> "Kind":
        hits = tuple(found)
        return cls(title, hits[:MOST], len(hits) > MOST)


@dataclass(frozen=True)
class Sought:
    """What is looked for, in lower case, in these projects and groups: those that the visitor may see."""

    text: str
    projects: Sequence[Project]
    groups: frozenset[str]

    @cached_property
    def keys(self) -> list[int]:
        return [project.id for project in self.projects]

    @cached_property
    def names(self) -> Mapping[int, str]:
        return {project.id: project.name for project in self.projects}

    @property
    def number(self) -> int:
        """`12` and `#12`; 0 for what is none."""
        digits = self.text.removeprefix("#")
        return int(digits) if digits.isascii() and digits.isdigit() and int(digits) < _LARGEST_ID else 0

    @property
    def is_commit(self) -> bool:
        """The beginning of one."""
        return len(self.text) >= _SHORTEST_COMMIT and not set(self.text) - set("0123456789abcdef")


@router.get("/search")
def search(visitor: SignedIn, services: Wired, q: Asked = "") -> Response:
    query = q.strip().lower()
    with services.database.reading() as tx:
        sought = _sought(tx, visitor.user, query)
        kinds = [kind for look in _LOOKS if query and (kind := look(tx, sought)).hits]
        pipelines = _pipelines(tx, sought) if query else ()
    frame = replace(plain_frame(visitor, "Search", href="/search"), query=q)
    most = {"most": MOST, "looked_at": pipeline_store.LOOKED_AT}
    return html("search.html", frame, query=q, kinds=kinds, pipelines=pipelines, now=services.now(), **most)


def _sought(tx: sa.Connection, user: User, query: str) -> Sought:
    projects = visible_projects(tx, user) if query else ()
    groups = {project.group for project in projects}
    return Sought(query, projects, frozenset(g for g in groups if may_in_group(user, Permission.READ, g)))


def _projects(_tx: sa.Connection, sought: Sought) -> Kind:
    groups = sorted({p.group for p in sought.projects if sought.text in p.group})
    found = [Hit(group, f"/groups/{group}", "group") for group in groups]
    found += [Hit(p.name, f"/{p.name}") for p in sought.projects if sought.text in p.name]
    return Kind.of("Projects and groups", found)


def _environments(tx: sa.Connection, sought: Sought) -> Kind:
    found = environment_store.named(tx, sought.text, sought.keys, MOST + 1)
    return Kind.of("Environments", (Hit(f"{e.project} {e.name}", href(e)) for e in found))


def _releases(tx: sa.Connection, sought: Sought) -> Kind:
    """Deployments have numbers of the whole installation, releases of their projects."""
    found = []
    if sought.number:
        found += [
            Hit(f"Deployment {d.id}", href(d), f"release {d.release} to {d.project} {d.environment}, {d.status}")
            for d in deployment_store.of_id(tx, sought.number, sought.keys)
        ]
        found += [
            Hit(f"Release {r.number}", f"/{r.project}/releases?before={r.number + 1}", f"of {r.project}: {r.title}")
            for r in release_store.of_number(tx, sought.number, sought.keys, MOST + 1)
        ]
    return Kind.of("Deployments and releases", found)


def _variables(tx: sa.Connection, sought: Sought) -> Kind:
    found = variable_store.named(tx, sought.text, sought.keys, sought.groups, MOST + 1)
    return Kind.of("Variables and secrets", (_variable(sought, one) for one in found))


def _variable(sought: Sought, found: variable_store.Named) -> Hit:
    kind = "secret" if found.secret else "variable"
    if found.project_id is None:
        return Hit(found.name, f"/groups/{found.group}/variables", f"{kind} of the group {found.group}")
    project = sought.names[found.project_id]
    if found.environment:
        at = f"/{project}/environments/{found.environment}"
        return Hit(found.name, at, f"{kind} of {project} {found.environment}")
    return Hit(found.name, f"/{project}/settings/variables", f"{kind} of {project}")


def _people(tx: sa.Connection, sought: Sought) -> Kind:
    """Those with a role in what the visitor sees: the pages of members name no others."""
    projects, groups = {p.name for p in sought.projects}, {p.group for p in sought.projects}
    found: dict[str, list[user_store.Membership]] = {}
    for one in user_store.members_named(tx, sought.text):
        if one.scope in projects or one.scope in groups:
            found.setdefault(one.user, []).append(one)
    return Kind.of("People", (_person(sought, name, held) for name, held in found.items()))


def _person(sought: Sought, name: str, held: Sequence[user_store.Membership]) -> Hit:
    """At a page that names the person."""
    scope = held[0].scope
    project = scope if "/" in scope else next(p.name for p in sought.projects if p.group == scope)
    at = f"/groups/{scope}" if scope in sought.groups else f"/{project}/settings/members"
    roles = ", ".join(f"{one.role} in {one.scope}" for one in held[:3])
    return Hit(name, at, f"{roles} and {len(held) - 3} more" if len(held) > 3 else roles)


def _hosts(tx: sa.Connection, sought: Sought) -> Kind:
    found = host_store.claimed(tx, sought.text, sought.keys, MOST + 1)
    return Kind.of("Host names", (Hit(c.pattern, environment_href(c), f"{c.project} {c.environment}") for c in found))


_LOOKS: tuple[Callable[[sa.Connection, Sought], Kind], ...] = (
    _projects,
    _environments,
    _releases,
    _hosts,
    _variables,
    _people,
)


def _pipelines(tx: sa.Connection, sought: Sought) -> tuple[Pipeline, ...]:
    """By number first, then by the beginning of the commit, then by a part of the title."""
    if not sought.keys:
        return ()
    found = {p.id: p for p in pipeline_store.of_id(tx, sought.number, sought.keys)} if sought.number else {}
    if sought.is_commit:
        found |= {p.id: p for p in pipeline_store.of_commit(tx, sought.text, sought.keys, MOST)}
    found |= {p.id: p for p in pipeline_store.titled(tx, sought.text, sought.keys, MOST)}
    return tuple(found.values())[:MOST]
