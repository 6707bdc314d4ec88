"""Values of the domain, complete, for tests that care about a few of their fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.access import User
from cabestan.domain.deployment import Deployment, Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Base, BuildJob, ImageBuild, Job, JobSpec, Pipeline, ScriptJob
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.store.transitions import transition

NOW = datetime(2024, 5, 6, 7, 8, 9, 123000, UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ADMIN = User(1, "admin", True, {})
DIGEST = f"sha256:{'ab' * 32}"


def set_status(tx: sa.Connection, subject: Subject, key: int, status: str, **values: Any) -> None:
    """As the platform does, at a time of no importance."""
    transition(tx, subject, key, status, NOW, **values)


def spec(name: str = "build", **changes: Any) -> JobSpec:
    return ScriptJob(**{"name": name, "stage": "build", "image": "i", "script": "true"} | changes)


def build_spec(name: str = "build web", **changes: Any) -> BuildJob:
    """One with all its fields set."""
    build = ImageBuild("web", "Dockerfile.web", ".", "shop/api/web", (COMMIT, "0.2"), "web")
    told: dict[str, Any] = {"needs": ("build",), "environment": (("A", "1"), ("B", "x=y"))}
    bases = (Base("app", "127.0.0.1:5600/shop/api", "build"), Base("cabestan/node", "cabestan/node:18"))
    of = {"image": "i", "build": build, "bases": bases, "base_images": ("cabestan/node:18",)}
    return BuildJob(name, "build", **told | of | changes)


def job(name: str = "build", status: RunStatus = RunStatus.CREATED, needs: tuple[str, ...] = (), id: int = 1) -> Job:
    return Job(
        id=id,
        pipeline_id=1,
        project_id=1,
        position=0,
        spec=spec(name, needs=needs),
        status=status,
        reason="",
        attempt=1,
        created_at=NOW,
    )


def pipeline(**changes: Any) -> Pipeline:
    known: dict[str, Any] = {
        "id": 0,
        "project_id": 1,
        "project": "shop/api",
        "commit": COMMIT,
        "branch": "main",
        "title": "Sell more",
        "author": "Somebody",
        "status": RunStatus.CREATED,
        "reason": "",
        "by": "dev",
        "created_at": NOW,
    }
    return Pipeline(**known | changes)


def environment(**changes: Any) -> Environment:
    known: dict[str, Any] = {
        "id": 7,
        "project_id": 1,
        "project": "shop/api",
        "name": "staging",
        "position": 1,
        "target": "local",
        "domain": "",
        "trigger": Trigger.AUTOMATIC,
        "branches": ("@default",),
        "approvers": (),
        "watch_seconds": 5,
    }
    return Environment(**known | changes)


def deployment(id: int, release: int, status: DeploymentStatus, **changes: Any) -> Deployment:
    known: dict[str, Any] = {
        "id": id,
        "project_id": 1,
        "project": "shop/api",
        "environment_id": 7,
        "environment": "staging",
        "release_id": release,
        "release": release,
        "commit": COMMIT,
        "status": status,
        "reason": "",
        "by": "dev",
        "approved_by": "",
        "restores_id": None,
        "previous_id": None,
        "created_at": NOW,
    }
    return Deployment(**known | changes)


def plan(**changes: Any) -> Plan:
    """One with all its fields set."""
    known: dict[str, Any] = {
        "steps": (Step(StepKind.PULL, ("a", "b"), 900), Step(StepKind.APPLY, ("web",), 180)),
        "changes": (PlannedChange("service added", "web", "Service web is new"),),
        "warnings": ("docker-compose.yml:3: doubtful",),
        "stack": "services: {}\n",
        "hosts": ("api.example.org",),
        "probes": (Probe("api.example.org", "/"),),
        "services": ("web",),
        "secrets": ("KEY",),
        "versions": (("KEY", 3), ("LEVEL", 5)),
        "fingerprint": "f" * 32,
    }
    return Plan(**known | changes)
