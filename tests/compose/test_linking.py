from __future__ import annotations

import pytest
from tests.compose.samples import IMAGE, loaded, refusal, rendered, web

from cabestan.compose.model import Dependency, Link
from cabestan.compose.nodes import Spot

SOMEWHERE = Spot(1, 1, "")
DB = f"  db: {{image: '{IMAGE}'}}\n"


def test_a_link_waits_for_the_service_and_gives_it_a_further_name() -> None:
    found = loaded(web("links: [db, 'db:database', 'db:db']", DB))

    service, db = found.compose.services
    assert service.depends_on == (Dependency("db", SOMEWHERE),)
    assert service.links == (Link("db", "database", SOMEWHERE),)
    assert (service.aliases, db.aliases) == ((), ("database",))
    assert [finding.code for finding in found.warnings] == ["links-deprecated"]


def test_a_further_name_is_one_of_the_environments_network() -> None:
    services = rendered(web("links: ['db:database', 'db:sql-local']", DB)).document["services"]

    assert services["web"]["networks"] == ["default"]
    assert services["db"]["networks"] == {"default": {"aliases": ["database", "sql-local"]}}


def test_two_services_may_give_the_same_name_to_the_same_service() -> None:
    other = f"  other: {{image: '{IMAGE}', links: ['db:database']}}\n"

    assert loaded(web("links: ['db:database']", DB + other)).compose.services[1].aliases == ("database",)


def test_a_name_cannot_lead_to_two_services() -> None:
    other = f"  other: {{image: '{IMAGE}', links: ['web:database']}}\n"
    taken = refusal(web("links: ['db:other']", DB + f"  other: {{image: '{IMAGE}'}}\n"))
    shared = refusal(web("links: ['db:database']", DB + other))

    assert [(finding.code, finding.line) for finding in taken] == [("link-alias", 4)]
    assert [(finding.code, finding.line) for finding in shared] == [("link-alias", 6)]


@pytest.mark.parametrize("alias", ["acme-v02.api.letsencrypt.org", "sql.local", "registry.", ".db"])
def test_a_name_with_a_dot_could_hide_a_host_of_the_outside(alias: str) -> None:
    (finding,) = refusal(web(f"links: ['db:{alias}']", DB))

    assert (finding.code, finding.file, finding.line) == ("link-alias", "docker-compose.yml", 4)
    assert finding.message.endswith("has a dot: in the environment's network it could hide a host of the outside.")


@pytest.mark.parametrize("alias", ["not a name", "-db", "a" * 64, "a:b", "dé"])
def test_what_is_no_host_name_is_refused(alias: str) -> None:
    assert [(finding.code, finding.line) for finding in refusal(web(f"links: ['db:{alias}']", DB))] == [
        ("link-alias", 4)
    ]


def test_a_service_has_no_name_with_a_dot() -> None:
    named = [refusal(f"services: {{a.example.org: {{image: '{IMAGE}'}}}}")]
    networks = ("networks: {default: {aliases: [a.example.org]}}", "external_links: ['a:a.example.org']")
    named += [refusal(web(line)) for line in networks]
    assert [finding.code for (finding,) in named] == ["service-name", "link-alias", "no-external-links"]

    for line in ("container_name: a.example.org", "hostname: a.example.org", "domainname: example.org"):
        assert rendered(web(line)).document["services"]["web"]["networks"] == ["default"]


def test_container_name_hostname_and_aliases_of_networks_are_further_names() -> None:
    text = web("container_name: shop\nhostname: front\nnetworks: {back: {aliases: [api]}}", "networks: {back: {}}\n")
    found = loaded(text)

    assert found.compose.services[0].aliases == ("api", "front", "shop")
    assert [(one.code, one.line) for one in found.warnings] == [
        ("container-name", 4),
        ("hostname", 5),
        ("own-networks", 7),
    ]
    service = rendered(text).document["services"]["web"]
    assert (service["hostname"], service["networks"]) == ("front", {"default": {"aliases": ["api", "front", "shop"]}})


def test_a_container_name_that_leads_elsewhere_is_refused_and_a_host_name_gives_way() -> None:
    other = f"  other: {{image: '{IMAGE}'}}\n"
    assert [one.code for one in refusal(web("container_name: other", other))] == ["link-alias"]
    assert [service.aliases for service in loaded(web("hostname: other", other)).compose.services] == [(), ()]


def test_names_of_one_container_alone_may_have_dots() -> None:
    service = rendered(web("extra_hosts: ['a.example.org:10.0.0.1']")).document["services"]["web"]

    assert (service["extra_hosts"], service["networks"]) == (["a.example.org:10.0.0.1"], ["default"])


def test_a_link_to_nobody_is_refused() -> None:
    assert [(finding.code, finding.line) for finding in refusal(web("links: ['nobody:x']"))] == [("dependency", 4)]
