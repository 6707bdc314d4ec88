"""A project's first page."""

from collections.abc import Mapping

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.observed import Condition
from cabestan.domain.project import Project
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases as release_store
from cabestan.web.pages.answers import Reading
from cabestan.web.pages.overview import Cell, cell
from cabestan.web.pages.releases import serving

router = APIRouter()
_LATEST_PIPELINES = 10
_LATEST_RELEASES = 5


@router.get("/{group}/{name}")
def project(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        environments, titles = cells(tx, at.project)
        return at.html(
            "project.html",
            "Overview",
            head=Condition.DOWN if any(cell.state.word == Condition.DOWN for cell in environments) else "",
            branch=at.project.default_branch,
            git_url=f"{at.services.settings.public_url}/{at.project.name}.git",
            cells=environments,
            titles=titles,
            pipelines=pipeline_store.page(tx, at.project.id, limit=_LATEST_PIPELINES),
            releases=release_store.page(tx, at.project.id, limit=_LATEST_RELEASES),
            serving=serving(tx, at.project.id),
        )


def cells(tx: sa.Connection, project: Project) -> tuple[tuple[Cell, ...], Mapping[int, str]]:
    """How each environment stands, in the order in which a release travels, and the titles of their releases."""
    environments = environment_store.of_project(tx, project.id)
    deployments = deployment_store.overview(tx, (e.id for e in environments))
    titles = release_store.titles(tx, (d.release_id for d in deployments))
    seen = observation_store.of(tx, (e.id for e in environments))
    found = (cell(e, [d for d in deployments if d.environment_id == e.id], seen.get(e.id)) for e in environments)
    return tuple(found), titles
