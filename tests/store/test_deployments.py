from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from tests.samples import NOW, plan, set_status
from tests.store.rows import make_deployment, make_project, make_release

from cabestan.domain.deployment import Approval, StepKind, StepRun
from cabestan.domain.outbox import Subject
from cabestan.domain.status import DeploymentStatus
from cabestan.errors import NotFound
from cabestan.store import deployments as store
from cabestan.store.database import Database

WAITING, QUEUED, RUNNING = DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING


def test_a_deployment_its_plan_and_its_approvals_come_back_as_they_were(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        release = make_release(tx, rows.project)
        made = make_deployment(tx, rows.staging, release)
        assert (made.project, made.environment, made.release, made.commit) == ("shop/api", "staging", 1, release.commit)
        assert store.get(tx, made.id) == made
        assert store.plan_of(tx, made.id) == plan()
        yes = Approval(made.id, "ann", True, "good", "f" * 32, NOW)
        no = Approval(made.id, "ben", False, "bad", "", NOW)
        store.add_approval(tx, yes)
        store.void_approvals(tx, made.id, "too old")
        store.add_approval(tx, no)
        void = Approval(made.id, "ann", True, "good", "f" * 32, NOW, "too old")
        assert store.approvals_of(tx, made.id) == (void, no)
        with pytest.raises(NotFound, match="There is no deployment 99"):
            store.get(tx, 99)


def test_a_step_begun_again_is_one_step(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        key = make_deployment(tx, rows.staging, make_release(tx, rows.project)).id
        store.set_step(tx, key, StepKind.APPLY, 1, "Apply", "running", NOW)
        store.set_step(tx, key, StepKind.PULL, 0, "Pull", "running", NOW)
        store.end_step(tx, key, 0, "failed", "no luck", NOW)
        store.set_step(tx, key, StepKind.PULL, 0, "Pull", "running", NOW)
        store.end_step(tx, key, 0, "succeeded", "2 pulled", NOW)
        assert store.steps_of(tx, key) == (
            StepRun(0, StepKind.PULL, "Pull", "succeeded", "2 pulled", NOW, NOW),
            StepRun(1, StepKind.APPLY, "Apply", "running", "", NOW, None),
        )


def test_the_database_itself_lets_one_run_per_environment(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        release = make_release(tx, rows.project)
        first = make_deployment(tx, rows.staging, release, RUNNING)
        second = make_deployment(tx, rows.staging, release)
        make_deployment(tx, rows.production, release, RUNNING)
    with pytest.raises(IntegrityError), database.writing() as tx:
        set_status(tx, Subject.DEPLOYMENT, second.id, RUNNING)
    with database.writing() as tx:
        set_status(tx, Subject.DEPLOYMENT, first.id, DeploymentStatus.SUCCEEDED)
        set_status(tx, Subject.DEPLOYMENT, second.id, RUNNING)


def test_lists_are_by_project_environment_release_and_status(database: Database) -> None:
    with database.writing() as tx:
        rows, other = make_project(tx), make_project(tx, "shop/web")
        one, two = make_release(tx, rows.project), make_release(tx, rows.project)
        ended = make_deployment(tx, rows.staging, one, DeploymentStatus.SUCCEEDED)
        waits = make_deployment(tx, rows.production, one, WAITING)
        queued = make_deployment(tx, rows.staging, two, QUEUED)
        again = make_deployment(tx, rows.staging, one, DeploymentStatus.SUCCEEDED)
        foreign = make_deployment(tx, other.staging, make_release(tx, other.project), QUEUED)

        assert store.page(tx, rows.project.id) == (again, queued, waits, ended)
        assert store.page(tx, rows.project.id, before=queued.id, limit=1) == (waits,)
        assert store.page(tx, environment_id=rows.staging.id) == (again, queued, ended)
        assert store.open_in(tx, rows.staging.id) == (queued,)
        assert store.all_open(tx) == (waits, queued, foreign)
        assert store.of_release(tx, one.id) == (ended, waits, again)
        assert store.succeeded_in(tx, rows.staging.id) == (again, ended)
        assert store.succeeded_in(tx, rows.staging.id, limit=1) == (again,)
