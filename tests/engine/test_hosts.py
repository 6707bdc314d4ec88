"""Whose host names are, from the first claim over rules and shared names to giving them up; and what is served."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from tests.engine.world import COMPOSE, World
from tests.samples import ADMIN

from cabestan.domain.access import User
from cabestan.domain.claims import HostRule
from cabestan.domain.deployment import Deployment
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import settings
from cabestan.engine.names import host_changes, hosts, routes
from cabestan.errors import Conflict, Invalid, NotFound
from cabestan.store.schema import environments as table

OWN = "Host:${CI_ENVIRONMENT_DOMAIN}"
SUCCEEDED, FAILED = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED


@pytest.fixture
def boss(world: World) -> User:
    return world.user("boss", admin=True)


def deployed(world: World, project: Project, rule: str) -> Deployment:
    """What comes of the rule on staging."""
    world.released(project, **{"docker-compose.yml": COMPOSE.replace(OWN, f"'{rule}'")})
    return world.deployments(world.environment(project, "staging"))[-1]


def claims(world: World) -> list[tuple[str, str, str]]:
    return [(one.pattern, one.project, one.environment) for one in hosts.ownership(world.services).claims]


def test_a_name_belongs_to_the_project_that_first_deployed_it(world: World) -> None:
    first, second = world.project("shop/api"), world.project("shop/web")
    assert deployed(world, first, "HostRegexp:{x:[a-z]+}.a.org").status is SUCCEEDED
    refused = deployed(world, second, "Host:free.org,www.a.org")
    assert (refused.status, refused.reason) == (
        FAILED,
        "The host name www.a.org belongs to the project shop/api, as *.a.org does. Route another name in shop/web, "
        "or have it given up: `cabestan host list` tells who has what.",
    )
    assert claims(world) == [("*.a.org", "shop/api", "staging")]
    assert deployed(world, second, "Host:a.org").status is SUCCEEDED
    assert deployed(world, first, "Host:a.org").status is FAILED


@pytest.mark.parametrize("rule", ["Host:{}", "Host:cdn.{}", "HostRegexp:{{x}}.{}"])
def test_the_names_of_environments_are_their_projects_before_anybody_asks(world: World, rule: str) -> None:
    world.project("shop/api")
    thief = world.project("shop/web")
    refused = deployed(world, thief, rule.format("production-api-shop.localhost"))
    assert refused.status is FAILED
    assert "belongs to the project shop/api" in refused.reason


def domain(world: World, project: Project, name: str = "staging") -> str:
    return world.environment(project, name).full_domain("localhost")


def test_two_environments_never_get_one_default_domain(world: World) -> None:
    first, second = world.project("c/a-b"), world.project("b-c/a")
    assert domain(world, first) == "staging-a-b-c.localhost"
    assert re.fullmatch(r"staging-a-b-c-[0-9a-f]{6}\.localhost", domain(world, second))
    for project in (first, second):
        deployment = deployed(world, project, "Host:${CI_ENVIRONMENT_DOMAIN}")
        assert (deployment.status, world.plan(deployment).hosts) == (SUCCEEDED, (domain(world, project),))
    for name in ("review/x", "review-x"):
        settings.set_environment(world.services, first, name, ADMIN)
    assert domain(world, first, "review/x") == "review-x-a-b-c.localhost"
    assert domain(world, first, "review-x") != domain(world, first, "review/x")


def test_a_new_environment_gets_no_name_that_others_have_asked_for(world: World) -> None:
    other, project = world.project("shop/web"), world.project("shop/api")
    assert deployed(world, other, "Host:www.later-api-shop.localhost").status is SUCCEEDED
    settings.set_environment(world.services, other, "more", ADMIN, domain="soon-api-shop.localhost")
    for name in ("later", "soon"):
        settings.set_environment(world.services, project, name, ADMIN)
        assert re.fullmatch(rf"{name}-api-shop-[0-9a-f]{{6}}\.localhost", domain(world, project, name))


def test_environments_of_before_stay_where_they_are(world: World) -> None:
    first = world.project("c/a-b")
    with world.services.database.writing() as tx:
        tx.execute(sa.update(table).values(label=""))
    second = world.project("b-c/a")
    assert domain(world, first) == "staging-a-b-c.localhost"
    assert domain(world, second) != domain(world, first)


@pytest.mark.parametrize("rule", ["HostRegexp:{x:.*}.example.localhost", "HostRegexp:{x:.+}.big.example.localhost"])
def test_a_pattern_that_takes_the_names_of_every_environment_is_refused(world: World, rule: str) -> None:
    world.services.settings.__dict__["target_domain"] = "big.example.localhost"
    refused = deployed(world, world.project(), rule)
    assert refused.status is FAILED
    assert "would take the names of every environment" in refused.reason


@pytest.mark.parametrize("rule", ["Host:cabestan.a.org", "HostRegexp:{x:.*}.a.org", "Host:b.org,CABESTAN.a.org"])
def test_the_name_of_cabestan_itself_is_nobodys(world: World, rule: str) -> None:
    world.services.settings.__dict__["url"] = "https://Cabestan.a.org:8443/"
    project = world.project()
    refused = deployed(world, project, rule)
    assert refused.status is FAILED
    assert "The host name cabestan.a.org belongs to Cabestan itself" in refused.reason
    settings.set_environment(world.services, project, "staging", ADMIN, domain="cabestan.a.org")
    with world.services.database.reading() as tx:
        assert hosts.names_of(world.services, tx, project) == ("production-api-shop.localhost",)


def test_a_rule_without_a_host_holds_for_the_environments_own_domain(world: World) -> None:
    project = world.project()
    assert deployed(world, project, "PathPrefix:/x").status is SUCCEEDED
    assert claims(world) == [("staging-api-shop.localhost", "shop/api", "staging")]


def test_an_administrators_rule_wins_and_a_group_shares_what_it_is_given(world: World, boss: User) -> None:
    api, web, other = (world.project(name) for name in ("shop/api", "shop/web", "other/one"))
    host_changes.assign(world.services, "*.Shop.org", "shop", boss)
    assert deployed(world, other, "Host:www.shop.org").reason.startswith(
        "The host name www.shop.org belongs to the group shop, as *.shop.org does."
    )
    assert deployed(world, api, "Host:www.shop.org;PathPrefix:/api").status is SUCCEEDED
    shared = deployed(world, web, "Host:www.shop.org,web.shop.org")
    assert shared.status is SUCCEEDED
    probes = {probe.host: len(probe.marks) for probe in world.plan(shared).probes}
    assert probes == {"www.shop.org": 0, "web.shop.org": 1}, "any of the two may answer for the shared name"
    assert world.plan(shared).warnings == (
        "shop/api routes www.shop.org as well: where rules of both fit, the higher priority answers.",
    )
    with pytest.raises(Conflict, match=r"www\.shop\.org is routed by shop/(api|web)"):
        host_changes.assign(world.services, "www.shop.org", "other/one", boss)
    host_changes.assign(world.services, "new.shop.org", "other/one", boss)
    assert deployed(world, other, "Host:new.shop.org").status is SUCCEEDED
    assert deployed(world, api, "HostRegexp:{x}.shop.org").status is FAILED
    rules = [(stored.rule, stored.by) for stored in hosts.ownership(world.services).rules]
    assert rules == [
        (HostRule("*.shop.org", "shop"), "boss"),
        (HostRule("new.shop.org", "other/one"), "boss"),
    ]
    host_changes.withdraw(world.services, "*.shop.org")
    with pytest.raises(NotFound, match=r"no rule for \*\.shop\.org"):
        host_changes.withdraw(world.services, "*.shop.org")


def test_a_name_is_given_up_once_nothing_routes_it(world: World) -> None:
    first, second = world.project("shop/api"), world.project("shop/web")
    deployed(world, first, "Host:a.org,b.org")
    with pytest.raises(Conflict, match=r"staging of shop/api routes a\.org now"):
        host_changes.release(world.services, "a.org", "shop/api")
    deployed(world, first, "Host:b.org")
    assert deployed(world, second, "Host:a.org").status is FAILED
    assert host_changes.release(world.services, "a.org", "shop/api") == ("staging",)
    assert deployed(world, second, "Host:a.org").status is SUCCEEDED
    with pytest.raises(NotFound, match=r"shop/api has no claim on a\.org"):
        host_changes.release(world.services, "a.org", "shop/api")


@pytest.mark.parametrize(
    ("pattern", "owner"), [("a b", "shop"), ("*", "shop"), ("a.*.org", "shop"), ("a.org", "Shop!")]
)
def test_what_is_no_name_or_no_owner_is_refused(world: World, boss: User, pattern: str, owner: str) -> None:
    with pytest.raises(Invalid):
        host_changes.assign(world.services, pattern, owner, boss)


def test_a_rule_for_a_project_that_is_not_there_is_refused(world: World, boss: User) -> None:
    with pytest.raises(NotFound, match="There is no project shop/none"):
        host_changes.assign(world.services, "a.org", "shop/none", boss)


def test_two_environments_that_route_one_name_are_warned_of(world: World) -> None:
    project = world.project()
    deployed(world, project, "Host:a.org")
    (waiting,) = world.deployments(world.environment(project, "production"))
    assert world.plan(waiting).warnings == (
        "staging routes a.org as well: where rules of both fit, the higher priority answers.",
    )


def test_what_is_served_tells_who_answers(world: World) -> None:
    api, web = world.project("shop/api"), world.project("other/web")
    deployed(world, api, "Host:a.org;PathPrefix:/api")
    deployed(world, web, "Host:b.org;Method:POST")
    with world.services.database.reading() as tx:
        every, mine = routes.served(tx), routes.served(tx, api.id)
    assert [(one.project, one.environment, one.route.rule) for one in every] == [
        ("other/web", "staging", "Host(`b.org`) && Method(`POST`)"),
        ("shop/api", "staging", "Host(`a.org`) && PathPrefix(`/api`)"),
    ]
    assert mine == every[1:]
    assert routes.match(every, "https://a.org/api/x") == routes.Verdict("a.org", every[1], (), ("shop/api",))
    assert routes.match(every, "a.org/x") == routes.Verdict("a.org", None, (), ("shop/api",))
    assert routes.match(every, "http://b.org", "post").answers == every[0]
    hidden = routes.seen_by(routes.match(every, "http://b.org", "POST"), lambda project: project != "other/web")
    assert hidden == routes.Verdict("b.org", None, (), ())
    with pytest.raises(Invalid, match="is not an address"):
        routes.match(every, "ftp://a.org")
