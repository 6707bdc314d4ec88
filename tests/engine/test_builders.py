"""Which builders run: those that are needed, those that were just now, and no more than there may be."""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta

import pytest
from tests.engine.world import FILES, World
from tests.samples import NOW

from cabestan.adapters.job_containers import JobRun, Volume
from cabestan.engine.building import builders, intake
from cabestan.engine.building.builders import idle, proxy_places, superfluous

EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("running", "busy", "ended", "stopped"),
    [
        ((), (), {}, ()),
        ((1, 2), (1, 2), {1: EARLIER, 2: EARLIER}, ()),
        ((1, 2, 3), (1,), {1: EARLIER, 2: EARLIER, 3: LATER}, (2,)),
        ((1,), (), {}, (1,)),
    ],
)
def test_a_builder_goes_when_nobody_has_used_it_for_a_while(running, busy, ended, stopped) -> None:
    assert idle(running, busy, ended, NOW) == stopped


@pytest.mark.parametrize(
    ("running", "busy", "ended", "most", "stopped"),
    [
        ((1, 2), (), {}, 2, ()),
        ((1, 2, 3), (), {1: LATER, 2: EARLIER, 3: NOW}, 2, (2,)),
        ((1, 2, 3), (), {1: LATER, 2: EARLIER, 3: NOW}, 0, (2, 3, 1)),
        ((1, 2), (), {1: EARLIER}, 1, (2,)),
        ((1, 2), (1, 2), {}, 0, ()),
    ],
)
def test_where_there_are_too_many_the_longest_idle_goes_and_none_that_is_busy(
    running, busy, ended, most, stopped
) -> None:
    assert superfluous(running, busy, ended, most) == stopped


def test_a_build_has_its_projects_builder_and_another_project_another_one(world: World) -> None:
    one, two = world.project("shop/one"), world.project("shop/two")
    seen = []

    def look(run: JobRun) -> None:
        seen.append((run.job.project_id, tuple(world.builders.there), world.jobs.made_of[run.name].volumes))

    world.jobs.while_running = look
    world.released(one)
    world.released(two)
    assert [(project, running) for project, running, _ in seen] == [(one.id, (one.id,)), (two.id, (one.id, two.id))]
    gate = Volume("cabestan-gate", "/run/gate", read_only=True)
    assert [volumes for _, _, volumes in seen] == [
        (Volume(f"cabestan-builder-{project.id}-run", "/run/builder"), gate) for project in (one, two)
    ]


def test_jobs_of_a_project_share_its_builder_which_is_not_made_anew_meanwhile(world: World) -> None:
    project = world.project()
    world.push(project, FILES | {"Dockerfile.web": "FROM shop/api\n"})
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    assert world.builders.called("ensure") == [[project.id, False], [project.id, False]]


def test_an_idle_builder_is_stopped_and_one_that_is_used_is_not(world: World) -> None:
    project = world.project()
    looks = []

    def look(_run: object) -> None:
        world.clock.now += timedelta(days=1)
        builders.look(world.services)
        looks.append(world.builders.running())

    world.jobs.while_running = look
    world.released(project)
    builders.look(world.services)
    assert looks == [(project.id,)]
    assert world.builders.running() == (project.id,)
    world.clock.now += timedelta(seconds=world.services.settings.builder_idle_seconds + 60)
    builders.look(world.services)
    assert world.builders.running() == ()


def test_the_largest_builder_loses_its_cache_when_the_disk_is_short_of_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = [world.project(f"shop/{name}") for name in ("one", "two")]
    for project in projects:
        world.released(project)
    world.builders.sizes = {projects[0].id: 5, projects[1].id: 7}
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(100, 101, -1))
    builders.look(world.services)
    assert world.builders.called("forget") == [[projects[1].id]]


def test_a_proxy_is_reached_wherever_it_is() -> None:
    given = {"http_proxy": "http://user:pass@proxy.lan:3128", "HTTPS_PROXY": "https://10.1.2.3", "NO_PROXY": "a.lan"}
    assert proxy_places(given) == ("10.1.2.3:443", "proxy.lan:3128")
