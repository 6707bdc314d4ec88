"""Projects, their refs as last seen, and the events that came from them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.project import Project, RefChange
from cabestan.errors import Conflict, NotFound
from cabestan.store.rows import Rows
from cabestan.store.schema import events, projects, refs

_PROJECTS = Rows(Project, projects)


def create(tx: sa.Connection, name: str, default_branch: str, now: datetime) -> Project:
    """Raises Conflict when the name is taken."""
    try:
        key = _PROJECTS.add(tx, name=name, default_branch=default_branch, created_at=now)
    except IntegrityError as error:
        raise Conflict(f"There is a project {name} already.", "Choose another name, or use that one.") from error
    return by_id(tx, key)


def get(tx: sa.Connection, name: str) -> Project:
    """By its name; raises NotFound."""
    found = find(tx, name)
    if not found:
        raise NotFound(f"There is no project {name}.", "`cabestan project list` shows those that you may see.")
    return found


def find(tx: sa.Connection, name: str) -> Project | None:
    return _PROJECTS.find(tx, projects.c.name == name)


def by_id(tx: sa.Connection, project_id: int) -> Project:
    return _PROJECTS.one(tx, project_id)


def all_projects(tx: sa.Connection) -> tuple[Project, ...]:
    return _PROJECTS.all(tx, by=(projects.c.name,))


def set_default_branch(tx: sa.Connection, project_id: int, branch: str) -> None:
    _PROJECTS.update(tx, project_id, default_branch=branch)


def set_protected_branches(tx: sa.Connection, project_id: int, patterns: Iterable[str]) -> None:
    _PROJECTS.update(tx, project_id, protected_branches=tuple(patterns))


def of_group(tx: sa.Connection, group: str) -> tuple[Project, ...]:
    return tuple(project for project in all_projects(tx) if project.group == group)


def seen_refs(tx: sa.Connection, project_id: int) -> Mapping[str, str]:
    rows = tx.execute(sa.select(refs.c.ref, refs.c.commit).where(refs.c.project_id == project_id))
    return {row.ref: row.commit for row in rows}


def last_event(tx: sa.Connection, project_id: int) -> int:
    """The number of the project's newest event; 0 before the first one."""
    query = sa.select(sa.func.max(events.c.id)).where(events.c.project_id == project_id)
    return tx.execute(query).scalar_one() or 0


def record_push(tx: sa.Connection, project_id: int, change: RefChange, by: str, now: datetime) -> int:
    """Notes where the ref stands now, and the event that it was pushed there. Returns the event's id."""
    tx.execute(sa.delete(refs).where(refs.c.project_id == project_id, refs.c.ref == change.ref))
    if change.after:
        tx.execute(sa.insert(refs).values(project_id=project_id, ref=change.ref, commit=change.after))
    return add_event(tx, project_id, "push", change, by, now)


def add_event(tx: sa.Connection, project_id: int, kind: str, change: RefChange, by: str, now: datetime) -> int:
    row = {
        "project_id": project_id,
        "kind": kind,
        "ref": change.ref,
        "before": change.before or "",
        "after": change.after or "",
        "by": by,
        "created_at": now,
    }
    key: int = tx.execute(sa.insert(events).values(row).returning(events.c.id)).scalar_one()
    return key
