"""All pages."""

from fastapi import APIRouter, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from cabestan.web.pages import (
    actions,
    alerts,
    certificates,
    databases,
    deletions,
    deploying,
    deployments,
    environments,
    errors,
    groups,
    home,
    jobs,
    journal,
    making,
    members,
    people,
    pipelines,
    projects,
    releases,
    routes,
    schedules,
    search,
    settings,
    variables,
    waivers,
)

error_page = errors.error_page
pages = APIRouter(include_in_schema=False)

for module in (
    home,
    groups,
    alerts,
    certificates,
    people,
    making,
    deletions,
    search,
    settings,
    routes,
    variables,
    pipelines,
    jobs,
    releases,
    deploying,
    actions,
    deployments,
    schedules,
    databases,
    journal,  # before environments, whose names take all that follows
    environments,
    members,
    waivers,
    projects,
):
    pages.include_router(module.router)


class _Fresh(StaticFiles):
    """Asked for again each time, and answered with 304 while it is the same: an upgrade is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def static_files() -> StaticFiles:
    return _Fresh(packages=[("cabestan.web", "static")])
