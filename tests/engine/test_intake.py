from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.world import FILES, World

from cabestan.domain.status import RunStatus
from cabestan.engine import intake, recovery
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

    for name in ("refs", "commit"):
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
