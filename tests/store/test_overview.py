"""What the home page reads, on a real database."""

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from cabestan.domain.environment import FIRST_ENVIRONMENTS
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project, RefChange
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.store import deployments, environments, pipelines, projects, releases
from cabestan.store.database import Database
from cabestan.store.migrate import migrate

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def _project(tx: sa.Connection) -> Project:
    project = projects.create(tx, "demo/hello", "main", NOW)
    for draft in FIRST_ENVIRONMENTS:
        environments.create(tx, project, draft, "local", 5, "")
    return project


def _release(tx: sa.Connection, project: Project, commit: str) -> int:
    event = projects.add_event(tx, project.id, "push", RefChange("refs/heads/main", None, commit), "ada", NOW)
    draft = Pipeline(
        0, project.id, project.name, commit, "main", f"T {commit[0]}", "", RunStatus.SUCCEEDED, "", "", NOW
    )
    return releases.create(tx, pipelines.create(tx, draft, event), {}, "compose.yml", {}, NOW).id


def test_the_overview_has_what_serves_what_is_open_and_what_was_last(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.sqlite")
    migrate(database)
    with database.writing() as tx:
        project = _project(tx)
        release = _release(tx, project, "a" * 40)
        staging, production = environments.of_project(tx, project.id)

        def deploy(environment: int, status: DeploymentStatus) -> int:
            common = {"by": "ada", "url": "", "restores_id": None, "now": NOW, "status": status}
            key = {"project_id": project.id, "environment_id": environment, "release_id": release}
            return deployments.create(tx, **key, **common).id  # type: ignore[arg-type]

        deploy(staging.id, DeploymentStatus.SUCCEEDED)
        serves = deploy(staging.id, DeploymentStatus.SUCCEEDED)
        deploy(staging.id, DeploymentStatus.SUPERSEDED)
        last = deploy(staging.id, DeploymentStatus.FAILED)
        waits = deploy(production.id, DeploymentStatus.WAITING)
        canceled = deploy(production.id, DeploymentStatus.CANCELED)
        environments.update(tx, staging.id, current_deployment_id=serves)
        both = deployments.overview(tx, [staging.id, production.id])
        one = deployments.overview(tx, [production.id])
    database.close()
    assert [d.id for d in both] == [serves, last, waits, canceled]
    assert [d.id for d in one] == [waits, canceled]


def test_pipelines_are_found_by_the_beginning_of_their_commit_and_releases_give_titles(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.sqlite")
    migrate(database)
    with database.writing() as tx:
        project = _project(tx)
        keys = [_release(tx, project, commit * 40) for commit in "aab"]
        found = [p.id for p in pipelines.of_commit(tx, "aaaa", [project.id])]
        elsewhere = pipelines.of_commit(tx, "aaaa", [project.id + 1])
        titles = releases.titles(tx, keys[1:])
    database.close()
    assert (found, elsewhere) == ([2, 1], ())
    assert titles == {keys[1]: "T a", keys[2]: "T b"}
