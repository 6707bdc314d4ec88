from __future__ import annotations

import pytest
from tests.samples import NOW, build_spec, set_status, spec
from tests.store.rows import make_pipeline, make_project

from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Job
from cabestan.domain.status import RunStatus
from cabestan.errors import NotFound
from cabestan.store import pipelines as store
from cabestan.store.database import Database


def test_a_pipeline_and_its_jobs_come_back_as_they_were(database: Database) -> None:
    with database.writing() as tx:
        made = make_pipeline(tx, make_project(tx).project)
        store.add_jobs(tx, made, (spec(), build_spec()), NOW)
        assert store.get(tx, made.id) == made
        first, second = store.jobs_of(tx, made.id)
        assert first == Job(first.id, made.id, made.project_id, 0, spec(), RunStatus.CREATED, "", 1, NOW)
        assert second == Job(second.id, made.id, made.project_id, 1, build_spec(), RunStatus.CREATED, "", 1, NOW)
        assert store.get_job(tx, second.id) == store.find_job(tx, second.id) == second
        assert store.find_job(tx, 99) is None


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.reading() as tx:
        with pytest.raises(NotFound, match="There is no pipeline 7"):
            store.get(tx, 7)
        with pytest.raises(NotFound, match="There is no job 7"):
            store.get_job(tx, 7)


def test_each_job_is_added_once_by_its_name(database: Database) -> None:
    with database.writing() as tx:
        made = make_pipeline(tx, make_project(tx).project)
        store.add_jobs(tx, made, (), NOW)
        store.add_jobs(tx, made, (spec("a"), spec("b")), NOW)
        store.add_jobs(tx, made, (spec("a"), spec("c")), NOW)
        assert [job.name for job in store.jobs_of(tx, made.id)] == ["a", "b", "c"]


def test_pages_are_the_newest_first_of_a_project_or_a_branch(database: Database) -> None:
    with database.writing() as tx:
        project, other = make_project(tx).project, make_project(tx, "shop/web").project
        ids = [make_pipeline(tx, p, b).id for p, b in ((project, "a"), (other, "a"), (project, "b"), (project, "a"))]

        def page(**asked: object) -> list[int]:
            return [ids.index(found.id) for found in store.page(tx, project.id, **asked)]  # type: ignore[arg-type]

        assert page() == [3, 2, 0]
        assert page(limit=2) == [3, 2]
        assert page(before=ids[2]) == [0]
        assert page(branch="a") == [3, 0]
        assert [ids.index(found.id) for found in store.page(tx, None)] == [3, 2, 1, 0]


def test_what_is_open_running_or_to_be_canceled_is_known(database: Database) -> None:
    with database.writing() as tx:
        project = make_project(tx).project
        opened, ended = make_pipeline(tx, project), make_pipeline(tx, project)
        store.add_jobs(tx, opened, (spec("a"), spec("b")), NOW)
        first, second = store.jobs_of(tx, opened.id)
        store.update(tx, ended.id, notes=("one", "two"), cancel=True)
        set_status(tx, Subject.PIPELINE, ended.id, RunStatus.FAILED, finished_at=NOW)
        set_status(tx, Subject.JOB, second.id, RunStatus.RUNNING, cancel=True)
        assert store.open_ids(tx) == (opened.id,)
        assert store.running_job_ids(tx) == {second.id}
        assert [store.cancel_asked(tx, found.id) for found in (opened, ended)] == [False, True]
        assert [store.job_cancel_asked(tx, found.id) for found in (first, second)] == [False, True]
        changed = ended.evolve(status=RunStatus.FAILED, notes=("one", "two"), finished_at=NOW)
        assert store.get(tx, ended.id) == changed


def test_the_newest_of_each_project_that_has_one(database: Database) -> None:
    with database.writing() as tx:
        one, other = make_project(tx).project, make_project(tx, "shop/web").project
        make_pipeline(tx, one)
        newest = make_pipeline(tx, one)
        theirs = make_pipeline(tx, other)
        assert store.newest_of(tx, (one.id, other.id, 99)) == (newest, theirs)
        assert store.newest_of(tx, (other.id,)) == (theirs,)
        assert store.newest_of(tx, ()) == ()
