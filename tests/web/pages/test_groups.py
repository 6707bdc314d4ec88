"""The first page and a group's, asked over HTTP: who sees what, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from tests.engine.world import World
from tests.samples import NOW
from tests.store.rows import make_deployment, make_project, make_release
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.domain.observed import Condition, Seen
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import settings
from cabestan.store import environments, observations
from cabestan.store.database import Database
from cabestan.store.variables import Scope


def _deployed(tx: sa.Connection, name: str, condition: Condition = Condition.SERVING) -> None:
    made = make_project(tx, name)
    serves = make_deployment(tx, made.staging, make_release(tx, made.project), DeploymentStatus.SUCCEEDED)
    environments.update(tx, made.staging.id, current_deployment_id=serves.id)
    observations.put(tx, made.staging.id, Seen(condition, NOW))


def _some(world: World, *names: str) -> None:
    with world.services.database.writing() as tx:
        for name in names:
            _deployed(tx, name)


@contextmanager
def _counted(database: Database) -> Iterator[list[str]]:
    queries: list[str] = []

    def note(*found: object) -> None:
        queries.append(str(found[2]))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)


def test_fifty_projects_cost_as_many_queries_as_three(world: World) -> None:
    world.user("admin", admin=True)
    costs = []
    with asking(world, **token("admin")) as client:
        for names in ([f"shop/few{n}" for n in range(3)], [f"shop/more{n}" for n in range(47)]):
            _some(world, *names)
            for path in ("/?sort=state", "/groups/shop", "/search?q=shop"):
                with _counted(world.services.database) as queries:
                    assert client.get(path).status_code == 200
                costs.append((path, len(queries)))
    # the titles of what serves are not shown of so many: a query less
    assert [cost for _, cost in costs[3:]] <= [cost for _, cost in costs[:3]], costs


def test_each_project_takes_a_bounded_part_of_the_page(world: World) -> None:
    world.user("admin", admin=True)
    with asking(world, **token("admin")) as client:
        _some(world, *(f"shop/first{n}" for n in range(30)))
        thirty = len(client.get("/").content)
        _some(world, *(f"shop/then{n}" for n in range(30)))
        assert len(client.get("/").content) - thirty < 30 * 2048


def test_many_projects_are_folded_but_for_what_is_down(world: World) -> None:
    world.user("admin", admin=True)
    with world.services.database.writing() as tx:
        for number in range(25):
            _deployed(tx, f"well/app{number}")
        _deployed(tx, "shop/api", Condition.DOWN)
    with asking(world, **token("admin")) as client:
        page = client.get("/").text
        assert 'id="group-well" data-fold="well" data-needing="" data-open="">' in page
        assert 'id="group-shop" data-fold="shop" data-needing="down" data-open="yes" open>' in page
        found = client.get("/?project=app7").text
        assert "well/app7" in found
        assert "well/app8" not in found
        assert "No project of that name and state" in client.get("/?project=nothing+of+that+name").text


def test_a_group_shows_projects_members_and_names_of_variables_and_no_value(world: World) -> None:
    _some(world, "shop/api", "shop/web", "ops/backup")
    world.user("rita", shop=Role.REPORTER)
    world.user("paul", shop=Role.DEVELOPER)
    settings.put(world.services, Scope(group="shop"), "LEVEL", "canary", "dev", secret=False)
    settings.put(world.services, Scope(group="shop"), "API_KEY", "canary", "dev", secret=True)
    with asking(world, **token("rita")) as client:
        page = client.get("/groups/shop").text
    for words in ("shop/api", "shop/web", "serving", "LEVEL", "API_KEY", "paul", "you are reporter"):
        assert words in page
    for words in ("canary", "ops/backup"):
        assert words not in page


def test_with_a_role_in_one_project_one_sees_of_its_group_that_project_alone(world: World) -> None:
    _some(world, "shop/api", "shop/web")
    world.user("rita", shop=Role.REPORTER)
    world.user("guest", shop__api=Role.MAINTAINER)
    settings.put(world.services, Scope(group="shop"), "LEVEL", "canary", "dev", secret=False)
    with asking(world, **token("guest")) as client:
        page = client.get("/groups/shop").text
    assert "shop/api" in page
    for words in ("shop/web", "LEVEL", "rita", "canary"):
        assert words not in page


def test_a_stranger_learns_of_no_group(world: World) -> None:
    _some(world, "shop/api")
    world.user("stranger", ops=Role.MAINTAINER)
    with asking(world, **token("stranger")) as client:
        there, nowhere = client.get("/groups/shop"), client.get("/groups/none")
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert there.text.replace("shop", "none") == nowhere.text
