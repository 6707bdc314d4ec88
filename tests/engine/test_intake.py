from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.world import FILES, World
from tests.samples import set_status

from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project
from cabestan.domain.status import RunStatus
from cabestan.engine.building import intake, pipelines
from cabestan.engine.upkeep import recovery
from cabestan.errors import Conflict


def test_a_push_starts_one_pipeline_however_often_it_is_looked_at(world: World) -> None:
    project = world.project()
    commit = world.push(project)
    (made,) = intake.take_pushes(world.services, project, "dev")
    assert intake.take_pushes(world.services, project, "dev") == ()
    assert world.pipelines(project) == (made,)
    assert (made.commit, made.branch, made.title, made.author, made.by) == (commit, "main", "Change", "Somebody", "dev")
    assert made.status is RunStatus.CREATED
    assert list(world.durable.started) == [f"pipeline-{made.id}-1"]


def test_each_branch_that_moved_gets_a_pipeline_and_tags_and_removed_branches_none(world: World) -> None:
    project = world.project()
    world.push(project)
    world.push(project, branch="release/1", b="1")
    assert {p.branch for p in intake.take_pushes(world.services, project, "dev")} == {"main", "release/1"}
    world.checkout.git("tag", "v1")
    repository = world.services.repositories.path(project.id)
    world.checkout.push(repository, "v1", ":refs/heads/release/1")
    assert intake.take_pushes(world.services, project, "dev") == ()
    world.push(project, b="2")
    assert [p.branch for p in intake.take_pushes(world.services, project, "dev")] == ["main"]


def test_a_push_that_nobody_told_of_is_found_at_the_start(world: World) -> None:
    one, two = world.project(), world.project("shop/web")
    world.push(one)
    world.push(two)
    recovery.reconcile(world.services)
    recovery.reconcile(world.services)
    assert [len(world.pipelines(project)) for project in (one, two)] == [1, 1]
    world.durable.run()
    assert [world.pipelines(project)[0].status for project in (one, two)] == [RunStatus.SUCCEEDED] * 2


def test_others_write_while_git_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.project()
    world.push(project)
    written: list[bool] = []

    def write() -> None:
        with world.services.database.writing():
            written.append(True)

    def slow(read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*arguments: Any) -> Any:
            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            writer.join(5)
            return read(*arguments)

        return reading

    for name in ("refs", "commits"):
        monkeypatch.setattr(world.services.repositories, name, slow(getattr(world.services.repositories, name)))
    assert len(intake.take_pushes(world.services, project, "dev")) == 1
    intake.start_pipeline(world.services, project, "main", "dev")
    assert len(written) == 4


def test_a_look_that_another_one_overtook_undoes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.project()
    world.push(project)
    read = world.services.repositories.refs
    (first,) = intake.take_pushes(world.services, project, "dev")
    newer = []

    def overtaken(key: int) -> dict[str, str]:
        """What it saw, older than two pushes that are taken meanwhile, of which the second goes back to the first."""
        found = read(key)
        monkeypatch.setattr(world.services.repositories, "refs", read)
        newer.append(world.push(project, b="2"))
        intake.take_pushes(world.services, project, "ann")
        world.checkout.push(world.services.repositories.path(key), f"+{first.commit}:refs/heads/main")
        intake.take_pushes(world.services, project, "ann")
        return found

    world.push(project, b="1")
    monkeypatch.setattr(world.services.repositories, "refs", overtaken)
    assert intake.take_pushes(world.services, project, "dev") == ()
    assert [made.commit for made in world.pipelines(project)] == [first.commit, *newer, first.commit]
    assert intake.take_pushes(world.services, project, "dev") == ()


def test_a_commit_in_another_encoding_does_not_stop_the_start(world: World) -> None:
    project = world.project()
    world.checkout.commit(FILES, "Bad \xff".encode("latin-1"))
    world.checkout.push(world.services.repositories.path(project.id))
    recovery.reconcile(world.services)
    assert [p.title for p in world.pipelines(project)] == ["Bad ÿ"]


def test_a_person_starts_one_for_the_newest_commit_of_a_branch(world: World) -> None:
    project = world.project()
    with pytest.raises(Conflict, match="The branch main of shop/api has no commit"):
        intake.start_pipeline(world.services, project, "main", "dev")
    commit = world.push(project)
    intake.take_pushes(world.services, project, "dev")
    again = intake.start_pipeline(world.services, project, "main", "ann")
    assert (again.commit, again.by, len(world.pipelines(project))) == (commit, "ann", 2)


def branch_pushed(world: World, project: Project, *branches: str) -> list[Pipeline]:
    for branch in branches:
        world.push(project, branch=branch, content=f"{branch} {world.clock()}")
    return list(intake.take_pushes(world.services, project, "dev"))


def crowd(world: World, most: int) -> None:
    object.__setattr__(world.services.settings, "open_pipelines", most)


def test_beyond_the_bound_a_newer_push_takes_the_place_of_what_its_branch_waits_with(world: World) -> None:
    project, other = world.project(), world.project("shop/web")
    crowd(world, 3)
    branch_pushed(world, other, "one", "two", "three")
    (main,) = branch_pushed(world, project, "main")
    one, two = branch_pushed(world, project, "one", "two")
    (newer,) = branch_pushed(world, project, "one")
    assert (newer.status, newer.branch) == (RunStatus.CREATED, "one")
    assert world.pipeline(one.id).status is RunStatus.CANCELED
    assert world.pipeline(one.id).reason == f"Pipeline {newer.id}, of a newer push to one, took its place."
    assert [world.pipeline(made.id).status for made in (main, two)] == [RunStatus.CREATED] * 2
    world.durable.run()
    assert {made.status for made in world.pipelines(project)} == {RunStatus.SUCCEEDED, RunStatus.CANCELED}
    assert {made.status for made in world.pipelines(other)} == {RunStatus.SUCCEEDED}


def test_beyond_the_bound_another_branch_is_not_built_and_says_so_and_is_built_later(world: World) -> None:
    project = world.project()
    crowd(world, 2)
    made = branch_pushed(world, project, "a", "b", "c", "d")
    assert [pipeline.status for pipeline in made] == [RunStatus.CREATED] * 2 + [RunStatus.CANCELED] * 2
    words = "shop/api has 2 pipelines that have not ended, and may have no more (open_pipelines)."
    assert made[2].reason == f"{words} Retry it when some of them have."
    assert list(world.durable.started) == [f"pipeline-{pipeline.id}-1" for pipeline in made[:2]]
    for ask in (
        lambda: pipelines.retry(world.services, made[2].id),
        lambda: intake.start_pipeline(world.services, project, "d", "dev"),
    ):
        with pytest.raises(Conflict, match="may have no more"):
            ask()
    world.durable.run()
    pipelines.retry(world.services, made[2].id)
    world.durable.run()
    assert world.pipeline(made[2].id).status is RunStatus.SUCCEEDED


def test_below_the_bound_each_push_is_built(world: World) -> None:
    project = world.project()
    for _ in range(3):
        branch_pushed(world, project, "main")
    world.durable.run()
    assert [made.status for made in world.pipelines(project)] == [RunStatus.SUCCEEDED] * 3


def test_what_builds_already_keeps_its_place(world: World) -> None:
    project = world.project()
    crowd(world, 1)
    (older,) = branch_pushed(world, project, "main")
    pipelines.prepare(world.services, older.id)
    _lint, build = world.jobs_of(older)
    with world.services.database.writing() as tx:
        set_status(tx, Subject.JOB, build.id, RunStatus.RUNNING, started_at=world.clock())
    (newer,) = branch_pushed(world, project, "main")
    assert (newer.status, world.pipeline(older.id).status) == (RunStatus.CANCELED, RunStatus.RUNNING)


def test_a_commit_that_git_cannot_read_stops_no_other_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.project()
    monkeypatch.setattr(world.services.repositories, "commits", lambda _key, _hashes: {})
    (made,) = branch_pushed(world, project, "main")
    assert (made.title, made.author, len(made.commit)) == ("", "", 40)
