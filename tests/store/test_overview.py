"""What the home page reads, on a real database."""

from __future__ import annotations

from tests.samples import NOW
from tests.store.rows import make_deployment, make_pipeline, make_project, make_release

from cabestan.domain.environment import Environment
from cabestan.domain.status import DeploymentStatus
from cabestan.store import deployments, environments, pipelines, releases
from cabestan.store.database import Database


def test_the_overview_has_what_serves_what_is_open_and_what_was_last(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        release = make_release(tx, rows.project)

        def deploy(environment: Environment, status: DeploymentStatus) -> int:
            return make_deployment(tx, environment, release, status).id

        deploy(rows.staging, DeploymentStatus.SUCCEEDED)
        serves = deploy(rows.staging, DeploymentStatus.SUCCEEDED)
        deploy(rows.staging, DeploymentStatus.SUPERSEDED)
        last = deploy(rows.staging, DeploymentStatus.FAILED)
        waits = deploy(rows.production, DeploymentStatus.WAITING)
        canceled = deploy(rows.production, DeploymentStatus.CANCELED)
        environments.update(tx, rows.staging.id, current_deployment_id=serves)
        both = deployments.overview(tx, [rows.staging.id, rows.production.id])
        one = deployments.overview(tx, [rows.production.id])
    assert [d.id for d in both] == [serves, last, waits, canceled]
    assert [d.id for d in one] == [waits, canceled]


def test_pipelines_are_found_by_the_beginning_of_their_commit_and_releases_give_titles(database: Database) -> None:
    with database.writing() as tx:
        project = make_project(tx).project
        made = [make_pipeline(tx, project, commit=commit * 40, title=f"T {commit}") for commit in "aab"]
        keys = [releases.create(tx, pipeline, {}, "compose.yml", {}, NOW).id for pipeline in made]
        found = pipelines.of_commit(tx, "aaaa", [project.id])
        elsewhere = pipelines.of_commit(tx, "aaaa", [project.id + 1])
        titles = releases.titles(tx, keys[1:])
    assert (found, elsewhere) == ((made[1], made[0]), ())
    assert titles == {keys[1]: "T a", keys[2]: "T b"}
