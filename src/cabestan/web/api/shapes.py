"""What the API answers: the keys of docs/api.md. What one module alone gives has its shape there."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from cabestan.domain.access import User
from cabestan.domain.certificate import Certificate
from cabestan.domain.deployment import Approval, Deployment, Plan, StepRun
from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import Job, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.variable import Variable
from cabestan.engine.deploying.environments import Standing
from cabestan.engine.services import Services

_T = TypeVar("_T")
Json = dict[str, Any]


def page(items: Sequence[_T], limit: int, shape: Callable[[_T], Json], cursor: Callable[[_T], int]) -> Json:
    """A page of a list: one more item than asked for was read, to know whether there is a next one."""
    shown = items[:limit]
    more = len(items) > limit
    return {"items": [shape(item) for item in shown], "next": cursor(shown[-1]) if more else None}


def moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def project(services: Services, value: Project) -> Json:
    base = services.settings.public_url
    return {
        "name": value.name,
        "git_url": f"{base}/{value.name}.git",
        "default_branch": value.default_branch,
        "protected_branches": list(value.protected_branches),
        "url": f"{base}/{value.name}",
        "created_at": moment(value.created_at),
    }


def pipeline(services: Services, value: Pipeline, release: int | None = None) -> Json:
    return {
        "id": value.id,
        "project": value.project,
        "commit": value.commit,
        "branch": value.branch,
        "title": value.title,
        "author": value.author,
        "status": value.status,
        "reason": value.reason,
        "by": value.by,
        "url": f"{services.settings.public_url}/{value.project}/pipelines/{value.id}",
        "created_at": moment(value.created_at),
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
        "notes": list(value.notes),
        "variables": dict(value.variables),
        "release": release,
    }


def job(services: Services, value: Job, project_name: str) -> Json:
    return {
        "id": value.id,
        "name": value.name,
        "stage": value.stage,
        "kind": value.spec.kind,
        "status": value.status,
        "reason": value.reason,
        "attempt": value.attempt,
        "pipeline": value.pipeline_id,
        "project": project_name,
        "url": f"{services.settings.public_url}/{project_name}/jobs/{value.id}",
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
        "needs": list(value.spec.needs),
    }


def release(value: Release) -> Json:
    return {
        "number": value.number,
        "project": value.project,
        "commit": value.commit,
        "branch": value.branch,
        "title": value.title,
        "images": dict(value.images),
        "pipeline": value.pipeline_id,
        "variables": dict(value.variables),
        "created_at": moment(value.created_at),
    }


def standing(value: Standing) -> Json:
    return environment(
        value.environment,
        url=value.url,
        domain=value.domain,
        status=value.status,
        current=value.current,
        changed=value.changed,
    )


def environment(
    value: Environment,
    *,
    url: str,
    domain: str,
    status: str,
    current: Deployment | None,
    changed: tuple[str, ...] = (),
) -> Json:
    return {
        "name": value.name,
        "project": value.project,
        "url": url,
        "domain": domain,
        "release": current.release if current else None,
        "commit": current.commit if current else None,
        "status": status,
        "trigger": value.trigger,
        "branches": list(value.branches),
        "compose_files": list(value.compose_files),
        "approvers": list(value.approvers),
        "target": value.target,
        "watch_seconds": value.watch_seconds,
        "plain_http": value.plain_http,
        "time_zone": value.time_zone,
        "deployment": current.id if current else None,
        "since": moment(current.finished_at) if current else None,
        "by": current.by if current else None,
        "changed_variables": list(changed),
    }


def deployment(value: Deployment) -> Json:
    return {
        "id": value.id,
        "project": value.project,
        "environment": value.environment,
        "release": value.release,
        "commit": value.commit,
        "status": value.status,
        "reason": value.reason,
        "url": value.url,
        "by": value.by,
        "approved_by": value.approved_by,
        "created_at": moment(value.created_at),
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
    }


def plan(value: Plan | None) -> Json | None:
    if not value:
        return None
    return {
        "steps": [{"kind": s.kind, "text": s.text, "deadline_seconds": s.deadline_seconds} for s in value.steps],
        "changes": [{"kind": c.kind, "subject": c.subject, "text": c.text} for c in value.changes],
        "warnings": list(value.warnings),
        "fingerprint": value.fingerprint,
        "stack": value.stack,
        "hosts": list(value.hosts),
        "secrets": list(value.secrets),
        "compose_files": list(value.compose_files),
    }


def step(value: StepRun) -> Json:
    return {
        "kind": value.kind,
        "text": value.text,
        "status": value.status,
        "detail": value.detail,
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
    }


def approval(value: Approval) -> Json:
    return {
        "by": value.by,
        "approved": value.approved,
        "comment": value.comment,
        "void": value.void,
        "created_at": moment(value.created_at),
    }


def setting(value: Variable, *, masked_shown: bool = True) -> Json:
    """Of a secret without its value, and of a masked variable too where the value is not to be shown."""
    shape = {
        "name": value.name,
        "value": value.value,
        "level": value.level,
        "group": value.group,
        "environment": value.environment,
        "kept_as": value.own_name,
        "secret": value.secret,
        "protected": value.protected,
        "masked": value.masked,
        "removed": value.removed,
        "version": value.version,
        "by": value.by,
        "created_at": moment(value.created_at),
    }
    if value.masked and not masked_shown:
        shape["value"] = None
    return {key: kept for key, kept in shape.items() if not (value.secret and key == "value")}


def used_setting(value: Variable) -> Json:
    """A version that a deployment uses: nothing of its value."""
    shape = setting(value)
    return {key: shape[key] for key in ("name", "secret", "level", "group", "environment", "kept_as", "version")}


def user(value: User) -> Json:
    return {"name": value.name, "admin": value.admin, "roles": dict(value.roles)}


def authority(value: Certificate, domains: Sequence[str]) -> Json:
    return {
        "certificate": value.chain,
        "name": value.issuer,
        "domains": list(domains),
        "fingerprint": value.fingerprint,
        "not_after": moment(value.not_after),
    }


def certificate(value: Certificate) -> Json:
    """Without its key."""
    return {
        "id": value.id,
        "kind": value.kind,
        "hosts": list(value.hosts),
        "project": value.project or None,
        "issuer": value.issuer,
        "fingerprint": value.fingerprint,
        "not_before": moment(value.not_before),
        "not_after": moment(value.not_after),
        "by": value.by,
    }
