"""What stands above the button that deploys."""

from __future__ import annotations

from tests.engine.fakes import failing
from tests.engine.world import World

from cabestan.domain.environment import Environment
from cabestan.domain.evidence import Evidence
from cabestan.domain.project import Project
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.evidence import gather
from cabestan.store import releases
from cabestan.store.schema import deployments
from cabestan.store.schema import releases as table


def known(world: World, where: Environment, number: int) -> Evidence:
    with world.services.database.reading() as tx:
        wanted = Wanted(releases.get(tx, where.project_id, number), where)
    return gather(world.services, wanted)


def sentences(evidence: Evidence) -> list[str]:
    return [one.sentence for one in evidence.fared]


def test_the_commits_that_a_release_brings_are_told_with_their_authors(world: World, project: Project) -> None:
    first = world.released(project)
    second = world.released(project)
    staging = world.environment(project, "staging")
    same = known(world, staging, 2)
    assert (same.brings.total, same.takes.total, same.first) == (0, 0, False)
    back = known(world, staging, 1)
    assert (back.brings.total, [one.commit for one in back.takes.listed]) == (0, [second.commit])
    assert all(one.title and one.author for one in back.takes.listed)
    assert first.commit not in [one.commit for one in back.takes.listed]


def test_where_nothing_serves_yet_there_is_nothing_to_compare(world: World, project: Project) -> None:
    world.released(project)
    evidence = known(world, world.environment(project, "production"), 1)
    assert (evidence.first, evidence.brings.total, evidence.trouble) == (True, 0, "")


def test_how_it_fared_before_is_told(world: World, project: Project) -> None:
    world.released(project)
    production = world.environment(project, "production")
    assert sentences(known(world, production, 1)) == ["It succeeded on staging."]
    assert sentences(known(world, world.environment(project, "staging"), 1)) == ["It waits for production."]
    world.stacks.states.append(failing("s", "app", "task: non-zero exit (7)"))
    world.released(project)
    why = "app does not come up: its container ended with exit code 7."
    assert sentences(known(world, production, 2)) == [f"It failed on staging, and was taken back there: {why}"]
    assert sentences(known(world, world.environment(project, "staging"), 2))[0].endswith(why), "here it failed, too"


def test_a_release_that_skips_an_environment_is_said_to_have_never_been_there(world: World, project: Project) -> None:
    world.released(project)
    with world.services.database.writing() as tx:
        staging = world.environment(project, "staging")
        tx.execute(deployments.delete().where(deployments.c.environment_id == staging.id))
    assert sentences(known(world, world.environment(project, "production"), 1)) == ["It was never on staging."]


def test_a_commit_that_is_gone_is_no_reason_to_show_nothing(world: World, project: Project) -> None:
    world.released(project)
    world.released(project)
    with world.services.database.writing() as tx:
        tx.execute(table.update().where(table.c.number == 2).values(commit="f" * 40))
    evidence = known(world, world.environment(project, "staging"), 1)
    assert evidence.trouble.startswith("The commits between what serves and this release are not known: ")
    assert sentences(evidence) == ["It was superseded on production before it began."]
