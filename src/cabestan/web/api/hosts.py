"""Host names and whom they belong to."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission, User, may
from cabestan.engine.names import host_changes
from cabestan.engine.names import hosts as engine
from cabestan.store.hosts import HostClaim, StoredRule
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.api import shapes

router = APIRouter()


class Owner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    owner: str = Field(max_length=200)


@router.get("/hosts")
def hosts(visitor: SignedIn, services: Wired) -> shapes.Json:
    """Rules of administrators and claims of projects, as far as one may see whom they are of."""
    found = engine.ownership(services)
    rules = [_rule(rule) for rule in found.rules if may_see(visitor.user, rule.rule.owner)]
    claims = [_claim(claim) for claim in found.claims if may_see(visitor.user, claim.project)]
    return {"items": rules + claims, "next": None}


@router.put("/hosts/{pattern}")
def assign(visitor: SignedIn, services: Wired, pattern: str, wanted: Owner) -> shapes.Json:
    """Gives a name, or all below it, to a group or a project."""
    require_admin(visitor.user)
    return _rule(host_changes.assign(services, pattern, wanted.owner, visitor.user))


@router.delete("/hosts/{pattern}", status_code=204)
def withdraw(visitor: SignedIn, services: Wired, pattern: str) -> Response:
    """Takes the rule back; claims stay."""
    require_admin(visitor.user)
    host_changes.withdraw(services, pattern)
    return Response(status_code=204)


@router.delete("/projects/{group}/{name}/hosts/{pattern}", status_code=204)
def release(visitor: SignedIn, services: Wired, group: str, name: str, pattern: str) -> Response:
    """The project gives the name up."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    host_changes.release(services, pattern, project.name)
    return Response(status_code=204)


def may_see(user: User, owner: str) -> bool:
    """A project that one may see, or a group that one has a role in."""
    return may(user, Permission.READ, owner) or any(scope.partition("/")[0] == owner for scope in user.roles)


def _claim(value: HostClaim) -> shapes.Json:
    return {
        "pattern": value.pattern,
        "kind": "claim",
        "owner": value.project,
        "environment": value.environment,
        "by": "",
        "since": shapes.moment(value.created_at),
    }


def _rule(value: StoredRule) -> shapes.Json:
    return {
        "pattern": value.rule.pattern,
        "kind": "rule",
        "owner": value.rule.owner,
        "environment": "",
        "by": value.by,
        "since": shapes.moment(value.created_at),
    }
