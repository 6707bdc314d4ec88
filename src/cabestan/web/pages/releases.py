"""Releases of a project."""

from collections.abc import Mapping

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import releases as store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import Before, framed, html
from cabestan.web.pages.views.frame import project_frame
from cabestan.web.pages.views.paging import PAGE_SIZE, split_page
from cabestan.web.pages.views.releases import release_row, serving_map

router = APIRouter()


@router.get("/{group}/{name}/releases")
def releases(visitor: SignedIn, services: Wired, group: str, name: str, before: Before = None) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.page(tx, project.id, before=before, limit=PAGE_SIZE + 1)
        where = serving(tx, project.id)
    shown, pager = split_page(found, lambda release: release.number, f"/{project.name}/releases", before)
    rows = tuple(release_row(release, where, services.now()) for release in shown)
    return html("releases.html", project_frame(framed(visitor), project.name, "Releases"), rows=rows, pager=pager)


def serving(tx: sa.Connection, project_id: int) -> Mapping[int, tuple[str, ...]]:
    """A release's id to the environments where it serves now."""
    environments = environment_store.of_project(tx, project_id)
    present = {d.id: d for d in deployment_store.overview(tx, (e.id for e in environments))}
    currents = ((present.get(e.current_deployment_id or 0), e.name) for e in environments)
    return serving_map((deployment.release_id, name) for deployment, name in currents if deployment)
