"""What the API answers: the keys of docs/api.md. What one module alone gives has its shape there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from cabestan.domain.access import User
from cabestan.domain.certificate import Certificate
from cabestan.domain.deployment import Approval, Deployment, Plan, StepRun
from cabestan.domain.evidence import Commits, Evidence, Fared
from cabestan.domain.observed import SeenService, shown
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


def whole(items: Iterable[_T], shape: Callable[[_T], Json]) -> Json:
    """A list that has no further pages."""
    return {"items": [shape(item) for item in items], "next": None}


def moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def fields(value: object, *names: str) -> Json:
    """What has the same name in the domain and in the API. Only what is named here is told."""
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> Any:
    match value:
        case datetime():
            return moment(value)
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
    return value


def project(services: Services, value: Project) -> Json:
    base = services.settings.public_url
    return {
        "name": value.name,
        "git_url": f"{base}/{value.name}.git",
        **fields(value, "default_branch", "protected_branches"),
        "url": f"{base}/{value.name}",
        "created_at": moment(value.created_at),
    }


def pipeline(services: Services, value: Pipeline, release: int | None = None) -> Json:
    return {
        **fields(value, "id", "project", "commit", "branch", "title", "author", "status", "reason", "by"),
        "url": f"{services.settings.public_url}/{value.project}/pipelines/{value.id}",
        **fields(value, "created_at", "started_at", "finished_at", "notes", "variables"),
        "release": release,
    }


def job(services: Services, value: Job, project_name: str) -> Json:
    return {
        **fields(value, "id", "name", "stage"),
        "kind": value.spec.kind,
        **fields(value, "status", "reason", "log_line", "attempt"),
        "pipeline": value.pipeline_id,
        "project": project_name,
        "url": f"{services.settings.public_url}/{project_name}/jobs/{value.id}",
        **fields(value, "started_at", "finished_at"),
        "needs": list(value.spec.needs),
    }


def release(value: Release) -> Json:
    return {
        **fields(value, "number", "project", "commit", "branch", "title", "images"),
        "pipeline": value.pipeline_id,
        **fields(value, "variables", "created_at"),
    }


def standing(value: Standing) -> Json:
    environment, current = value.environment, value.current
    return {
        "name": environment.name,
        "project": environment.project,
        "url": value.url,
        "domain": value.domain,
        "release": current.release if current else None,
        "commit": current.commit if current else None,
        "status": value.status,
        "state": shown(bool(value.current), value.seen),
        "services": [seen_service(service) for service in value.seen.services] if value.seen else [],
        "reasons": [service.why.text for service in value.seen.unwell] if value.seen and value.current else [],
        **fields(environment, "trigger", "branches", "compose_files", "approvers"),
        **fields(environment, "target", "watch_seconds", "plain_http", "time_zone"),
        **fields(environment, "uptime", "uptime_path", "uptime_status"),
        "deployment": current.id if current else None,
        "since": moment(current.finished_at) if current else None,
        "by": current.by if current else None,
        "changed_variables": list(value.changed),
        "kept": {
            **fields(environment.kept, "everything", "stopped"),
            "replicas": dict(environment.kept.replicas),
        },
    }


def seen_service(value: SeenService) -> Json:
    last = value.last_exit
    told = fields(value, "name", "wanted", "running", "restarts", "update", "unanswered")
    ended = {**fields(last, "code", "why", "words"), "at": moment(last.at)} if last else None
    return told | {"state": value.condition, "last_exit": ended}


def deployment(value: Deployment) -> Json:
    told = fields(value, "id", "project", "environment", "kind", "release", "commit", "status", "reason", "url")
    told |= {"what": value.what, "services": list(value.services), "replicas": dict(value.replicas)}
    return told | fields(value, "by", "approved_by", "created_at", "started_at", "finished_at")


def plan(value: Plan | None) -> Json | None:
    if not value:
        return None
    return {
        "steps": [fields(step, "kind", "text", "deadline_seconds") for step in value.steps],
        "changes": [fields(change, "kind", "subject", "text") for change in value.changes],
        **fields(value, "warnings", "fingerprint", "stack", "hosts", "secrets", "compose_files"),
    }


def evidence(value: Evidence | None) -> Json | None:
    """What is known of a release before it is deployed."""
    if not value:
        return None
    return {
        "fared": [_fared(one) for one in value.fared],
        "brings": _commits(value.brings),
        "takes": _commits(value.takes),
        **fields(value, "first", "trouble"),
    }


def _fared(value: Fared) -> Json:
    last = value.last
    told = {"environment": value.environment, "status": last.status if last else None, "told": value.sentence}
    return told | {"deployment": last.id if last else None, "at": moment(last.finished_at) if last else None}


def _commits(value: Commits) -> Json:
    listed = [fields(one, "commit", "title", "author", "committed_at") for one in value.listed]
    return {"commits": listed, "total": value.total}


def step(value: StepRun) -> Json:
    return fields(value, "kind", "text", "status", "detail", "started_at", "finished_at")


def approval(value: Approval) -> Json:
    return fields(value, "by", "approved", "comment", "void", "created_at")


def setting(value: Variable, *, masked_shown: bool = True) -> Json:
    """Of a secret without its value, and of a masked variable too where the value is not to be shown."""
    hidden = value.masked and not masked_shown
    return {
        "name": value.name,
        **({} if value.secret else {"value": None if hidden else value.value}),
        **fields(value, "level", "group", "environment"),
        "kept_as": value.own_name,
        **fields(value, "secret", "protected", "masked", "removed", "version", "by", "created_at"),
    }


def used_setting(value: Variable) -> Json:
    """A version that a deployment uses: nothing of its value."""
    told = fields(value, "name", "secret", "level", "group", "environment")
    return told | {"kept_as": value.own_name, "version": value.version}


def user(value: User) -> Json:
    return fields(value, "name", "admin", "roles")


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
        **fields(value, "id", "kind", "hosts"),
        "project": value.project or None,
        **fields(value, "issuer", "fingerprint", "not_before", "not_after", "by"),
    }
