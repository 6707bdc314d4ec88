from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.samples import NOW
from tests.store.rows import make_pipeline, make_project

from cabestan.domain.environment import Trigger
from cabestan.domain.project import RefChange, ref_changes
from cabestan.errors import Conflict, NotFound
from cabestan.store import environments, pipelines, projects, releases
from cabestan.store.database import Database


def test_projects_are_found_by_name_and_listed_by_it(database: Database) -> None:
    with database.writing() as tx:
        later = projects.create(tx, "shop/web", "trunk", NOW)
        first = projects.create(tx, "shop/api", "main", NOW)
        assert projects.all_projects(tx) == (first, later)
        assert projects.by_id(tx, later.id) == projects.find(tx, "shop/web") == later
        assert projects.find(tx, "shop/none") is None
        with pytest.raises(NotFound, match="There is no project shop/none"):
            projects.get(tx, "shop/none")
        projects.set_default_branch(tx, later.id, "main")
        assert projects.get(tx, "shop/web").default_branch == "main"


def test_a_name_is_taken_once(database: Database) -> None:
    with database.writing() as tx:
        projects.create(tx, "shop/api", "main", NOW)
    with pytest.raises(Conflict, match="There is a project shop/api already"), database.writing() as tx:
        projects.create(tx, "shop/api", "main", NOW)


def test_a_recorded_push_is_seen_no_more(database: Database) -> None:
    actual = {"refs/heads/main": "1", "refs/tags/v1": "1"}
    with database.writing() as tx:
        project = make_project(tx).project
        for change in ref_changes(projects.seen_refs(tx, project.id), actual):
            projects.record_push(tx, project.id, change, "dev", NOW)
        assert projects.seen_refs(tx, project.id) == actual
        projects.record_push(tx, project.id, RefChange("refs/heads/main", "1", "2"), "dev", NOW)
        projects.record_push(tx, project.id, RefChange("refs/tags/v1", "1", None), "dev", NOW)
        assert projects.seen_refs(tx, project.id) == {"refs/heads/main": "2"}


def test_environments_begin_as_staging_and_production(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        assert environments.of_project(tx, rows.project.id) == (rows.staging, rows.production)
        assert environments.all_environments(tx) == (rows.staging, rows.production)
        assert (rows.staging.trigger, rows.production.trigger) == (Trigger.AUTOMATIC, Trigger.MANUAL)
        assert (rows.staging.branches, rows.staging.approvers, rows.staging.watch_seconds) == (("@default",), (), 5)
        environments.update(tx, rows.staging.id, branches=("main", "release/*"), approvers=("ann",), domain="a.org")
        changed = rows.staging.evolve(branches=("main", "release/*"), approvers=("ann",), domain="a.org")
        assert environments.get(tx, rows.project.id, "staging") == environments.by_id(tx, rows.staging.id) == changed
        with pytest.raises(NotFound, match="There is no environment none"):
            environments.get(tx, rows.project.id, "none")


def test_releases_are_numbered_within_their_project_and_made_once_per_pipeline(database: Database) -> None:
    with database.writing() as tx:
        rows, other = make_project(tx), make_project(tx, "shop/web").project
        project = rows.project
        first, second = make_pipeline(tx, project), make_pipeline(tx, project)
        made = releases.create(tx, first, {"a": "a@sha256:1"}, "compose.yml", {"compose.yml": "services: {}"}, NOW)
        assert releases.create(tx, first, {}, "other.yml", {}, NOW) == made
        assert (made.number, made.images, made.compose_file) == (1, {"a": "a@sha256:1"}, "compose.yml")
        assert made.texts == {"compose.yml": "services: {}"}
        newer = releases.create(tx, second, {}, "", {}, NOW)
        elsewhere = releases.create(tx, make_pipeline(tx, other), {}, "", {}, NOW)
        assert (newer.number, elsewhere.number) == (2, 1)
        assert releases.latest(tx, project.id) == releases.chosen(tx, rows.staging, None) == newer
        assert releases.chosen(tx, rows.staging, 1) == releases.of_pipeline(tx, first.id) == made
        assert releases.page(tx, project.id) == (newer, made)
        assert releases.page(tx, project.id, before=2) == (made,)
        assert releases.page(tx, project.id, limit=1) == (newer,)
        with pytest.raises(NotFound, match=f"There is no release 3 in {project.name}"):
            releases.get(tx, project.id, 3)
        with pytest.raises(NotFound, match="no release yet"):
            releases.chosen(tx, make_project(tx, "shop/new").staging, None)


def test_releases_made_at_the_same_time_get_numbers_of_their_own(database: Database) -> None:
    with database.writing() as tx:
        project = make_project(tx).project
        made = [make_pipeline(tx, project) for _ in range(8)]

    def release(number: int) -> int:
        with database.writing() as tx:
            return releases.create(tx, made[number], {}, "", {}, NOW).number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(release, range(8))) == list(range(1, 9))
    with database.reading() as tx:
        assert pipelines.page(tx, project.id, limit=1)[0].id == made[-1].id
