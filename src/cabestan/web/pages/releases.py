"""Releases of a project, and where each of them runs."""

from collections.abc import Mapping

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import releases as store
from cabestan.web.pages.answers import Before, Reading
from cabestan.web.pages.paging import PAGE_SIZE, split_page

router = APIRouter()


@router.get("/{group}/{name}/releases")
def releases(at: Reading, before: Before = None) -> Response:
    with at.services.database.reading() as tx:
        found = store.page(tx, at.project.id, before=before, limit=PAGE_SIZE + 1)
        where = serving(tx, at.project.id)
    shown, pager = split_page(found, lambda release: release.number, f"/{at.project.name}/releases", before)
    return at.html("releases.html", "Releases", rows=shown, serving=where, pager=pager)


def serving(tx: sa.Connection, project_id: int) -> Mapping[int, tuple[str, ...]]:
    """A release's id to the environments where it serves now."""
    environments = environment_store.of_project(tx, project_id)
    present = {d.id: d.release_id for d in deployment_store.overview(tx, (e.id for e in environments))}
    found: dict[int, tuple[str, ...]] = {}
    for environment in environments:
        release = present.get(environment.current_deployment_id or 0)
        if release is not None:
            found[release] = (*found.get(release, ()), environment.name)
    return found
