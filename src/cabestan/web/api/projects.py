"""Projects and their members."""

import os

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

import cabestan
from cabestan.domain import names
from cabestan.domain.access import Permission, Role, may
from cabestan.engine.building import intake
from cabestan.store import projects as store
from cabestan.store import users as user_store
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.api import shapes

router = APIRouter()
public = APIRouter()
DEFAULT_BRANCH = "main"


class NewProject(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200)
    default_branch: str = Field(DEFAULT_BRANCH, max_length=200)


class Membership(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: Role | None


@public.get("/status")
def status(services: Wired) -> shapes.Json:
    """Version, process and address of this server."""
    settings = services.settings
    return {
        "version": cabestan.__version__,
        "pid": os.getpid(),
        "url": settings.public_url,
        "instance": settings.instance,
    }


@router.get("/projects")
def projects(visitor: SignedIn, services: Wired) -> shapes.Json:
    """Those that the user may see."""
    with services.database.reading() as tx:
        found = [p for p in store.all_projects(tx) if may(visitor.user, Permission.READ, p.name)]
    return shapes.whole(found, lambda project: shapes.project(services, project))


@router.post("/projects", status_code=201)
def create_project(visitor: SignedIn, services: Wired, wanted: NewProject) -> shapes.Json:
    """By an administrator, or by a maintainer of the group."""
    name = names.project_name(wanted.name)
    branch = names.branch_name(wanted.default_branch)
    if not may(visitor.user, Permission.CONFIGURE, name):
        require_admin(visitor.user)
    return shapes.project(services, intake.create_project(services, name, branch))


@router.get("/projects/{group}/{name}")
def project(visitor: SignedIn, services: Wired, group: str, name: str) -> shapes.Json:
    return shapes.project(services, project_for(services, visitor.user, f"{group}/{name}", Permission.READ))


@router.put("/projects/{group}/{name}/members/{user}", status_code=204)
def set_member(visitor: SignedIn, services: Wired, group: str, name: str, user: str, wanted: Membership) -> Response:
    """Gives a user a role in the project, or takes it away."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    with services.database.writing() as tx:
        user_store.set_role(tx, user_store.get(tx, user).id, project.name, wanted.role)
    return Response(status_code=204)
