"""Domain values for the tests of the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cabestan.domain.access import User
from cabestan.domain.deployment import Approval, Deployment, Plan, PlannedChange, Step, StepKind, StepRun
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.pipeline import BuildJob, ImageBuild, Job, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.web.access import Visitor
from cabestan.web.pages.answers import Rights
from cabestan.web.pages.frame import project_frame
from cabestan.web.pages.templating import Renderer

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VISITOR = Visitor(User(1, "admin", True, {}), "csrf-token")


def rendered(template: str, **values: Any) -> str:
    """As a maintainer of demo/hello sees it at `NOW`."""
    given = {"project": "demo/hello", "may": Rights(run=True, deploy=True, configure=True), "now": NOW}
    return Renderer("1")(template, project_frame(VISITOR, "demo/hello", "Overview"), **given | values)


def before(**passed: float) -> datetime:
    return NOW - timedelta(**passed)


def project(key: int = 1, name: str = "demo/hello") -> Project:
    return Project(key, name, "main", before(days=40))


def environment(key: int = 1, name: str = "staging", **changes: Any) -> Environment:
    made = Environment(
        id=key,
        project_id=1,
        project="demo/hello",
        name=name,
        position=key,
        target="local",
        domain="",
        trigger=Trigger.AUTOMATIC,
        branches=("@default",),
        approvers=(),
        watch_seconds=5,
    )
    return made.evolve(**changes)


def deployment(key: int = 1, status: DeploymentStatus = DeploymentStatus.SUCCEEDED, **changes: Any) -> Deployment:
    made = Deployment(
        id=key,
        project_id=1,
        project="demo/hello",
        environment_id=1,
        environment="staging",
        release_id=key,
        release=key,
        commit=COMMIT,
        status=status,
        reason="",
        by="anna",
        approved_by="",
        restores_id=None,
        previous_id=None,
        created_at=before(minutes=5),
        started_at=before(minutes=4),
        finished_at=before(minutes=3),
        url="http://staging-hello-demo.localhost",
    )
    return made.evolve(**changes)


def pipeline(key: int = 1, status: RunStatus = RunStatus.SUCCEEDED, **changes: Any) -> Pipeline:
    made = Pipeline(
        id=key,
        project_id=1,
        project="demo/hello",
        commit=COMMIT,
        branch="main",
        title="Greet by name",
        author="Anna Example <anna@example.org>",
        status=status,
        reason="",
        by="anna",
        created_at=before(minutes=10),
        started_at=before(minutes=10),
        finished_at=before(minutes=8),
    )
    return made.evolve(**changes)


def job(key: int = 1, name: str = "build", stage: str = "build", status: RunStatus = RunStatus.SUCCEEDED) -> Job:
    return Job(
        id=key,
        pipeline_id=1,
        project_id=1,
        position=key,
        spec=BuildJob(name, stage, image="cabestan/job", build=ImageBuild("", "Dockerfile", ".", "shop/api")),
        status=status,
        reason="Exit code 1." if status is RunStatus.FAILED else "",
        attempt=1,
        created_at=before(minutes=10),
        started_at=before(minutes=10),
        finished_at=None if status is RunStatus.RUNNING else before(minutes=9, seconds=18),
    )


def release(number: int = 1, **changes: Any) -> Release:
    given: dict[str, Any] = {
        "id": number,
        "project_id": 1,
        "project": "demo/hello",
        "number": number,
        "pipeline_id": 1,
        "commit": COMMIT,
        "branch": "main",
        "title": "Greet by name",
        "images": {"demo/hello": "127.0.0.1:5600/demo/hello@sha256:" + "ab" * 32},
        "compose_file": "docker-compose.yml",
        "texts": {"docker-compose.yml": "services: {}"},
        "created_at": before(minutes=8),
    }
    return Release(**given | changes)


def plan() -> Plan:
    return Plan(
        steps=(
            Step(StepKind.PULL, ("demo/hello",), 900),
            Step(StepKind.APPLY, ("web", "worker"), 180),
            Step(StepKind.WATCH, ("web", "worker"), 300),
            Step(StepKind.ROUTES, ("production-hello-demo.localhost/",), 30),
        ),
        changes=(
            PlannedChange("image", "web", "image web: demo/hello:89abcdef → demo/hello:01234567"),
            PlannedChange("service added", "worker", "service added worker: demo/hello/worker:01234567"),
            PlannedChange("route removed", "old.localhost", "route removed old.localhost: web"),
            PlannedChange("secret changed", "KEY", "Secret KEY: version 2 becomes version 3"),
        ),
        warnings=("web has no health check: it counts as healthy as soon as it runs.",),
        stack="services:\n  web:\n    image: 127.0.0.1:5600/demo/hello@sha256:abab\n",
        hosts=("production-hello-demo.localhost",),
        probes=(Probe("production-hello-demo.localhost", "/"),),
        services=("web", "worker"),
        secrets=("DATABASE_PASSWORD",),
        versions=(("DATABASE_PASSWORD", 3),),
        fingerprint="f00dfeed" * 4,
    )


_POSITIONS = (StepKind.PULL, StepKind.APPLY, StepKind.WATCH, StepKind.ROUTES, StepKind.PUT_BACK)


def step_run(kind: StepKind, status: str = "succeeded", detail: str = "") -> StepRun:
    ended = None if status == "running" else before(minutes=3, seconds=58)
    return StepRun(_POSITIONS.index(kind), kind, f"{kind} demo/hello", status, detail, before(minutes=4), ended)


def approval(approved: bool = True, comment: str = "", void: str = "") -> Approval:
    return Approval(2, "bert", approved, comment, "f00dfeed" * 4, before(minutes=2), void)
