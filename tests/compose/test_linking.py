from __future__ import annotations

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
    services = rendered(web("links: ['db:database', 'db:sql.local']", DB)).document["services"]

    assert services["web"]["networks"] == ["default"]
    assert services["db"]["networks"] == {"default": {"aliases": ["database", "sql.local"]}}


def test_two_services_may_give_the_same_name_to_the_same_service() -> None:
    other = f"  other: {{image: '{IMAGE}', links: ['db:database']}}\n"

    assert loaded(web("links: ['db:database']", DB + other)).compose.services[1].aliases == ("database",)


def test_a_name_cannot_lead_to_two_services() -> None:
    other = f"  other: {{image: '{IMAGE}', links: ['web:database']}}\n"
    taken = refusal(web("links: ['db:other']", DB + f"  other: {{image: '{IMAGE}'}}\n"))
    shared = refusal(web("links: ['db:database']", DB + other))

    assert [(finding.code, finding.line) for finding in taken] == [("link-alias", 4)]
    assert [(finding.code, finding.line) for finding in shared] == [("link-alias", 6)]


def test_a_link_to_nobody_is_refused() -> None:
    assert [(finding.code, finding.line) for finding in refusal(web("links: ['nobody:x']"))] == [("dependency", 4)]
