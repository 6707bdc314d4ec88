"""Certificates that projects brought, when the names that they are for change hands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.engine.test_certificates import _delivered, _issued
from tests.engine.test_hosts import FAILED, SUCCEEDED, deployed
from tests.engine.world import World
from tests.samples import ADMIN

from cabestan.domain.alert import Alert
from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.engine.names import certificates, host_changes, uploads
from cabestan.store import alerts, hosts
from cabestan.store import certificates as store

KEPT = "Host:kept.localhost"
BOTH = f"{KEPT},given.localhost"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    assert deployed(world, made, BOTH).status is SUCCEEDED
    return made


def bring(world: World, project: Project | None, *names: str) -> str:
    """Gives the chain."""
    issued = _issued(world, *names)
    uploads.add(world.services, project, issued.certificate.chain, issued.key, "dev")
    return issued.certificate.chain


def uploaded(world: World) -> list[Certificate]:
    with world.services.database.reading() as tx:
        return [*store.of_kind(tx, CertificateKind.UPLOADED)]


def told(world: World) -> list[Alert]:
    with world.services.database.reading() as tx:
        return [*alerts.all_open(tx, "certificate-removed")]


def test_a_name_that_is_given_up_takes_its_certificate_with_it(world: World, project: Project) -> None:
    kept, given = bring(world, project, "kept.localhost"), bring(world, project, "given.localhost")
    assert deployed(world, project, KEPT).status is SUCCEEDED
    assert _delivered(world)["given.localhost"] == given
    host_changes.release(world.services, "given.localhost", project.name)
    assert given not in _delivered(world).values()
    assert _delivered(world)["kept.localhost"] == kept
    assert [one.hosts for one in uploaded(world)] == [("kept.localhost",)]
    (alert,) = told(world)
    assert (alert.project, alert.subject, alert.remedy) == (
        project.name,
        "given.localhost",
        "Nothing is to be done.",
    )
    assert alert.message == (
        "The certificate that dev brought for given.localhost was removed with its key: "
        "given.localhost does not belong to shop/api any more."
    )


def test_one_for_several_names_goes_with_the_first_that_is_given_up(world: World, project: Project) -> None:
    chain = bring(world, project, "kept.localhost", "given.localhost")
    deployed(world, project, KEPT)
    host_changes.release(world.services, "given.localhost", project.name)
    assert chain not in _delivered(world).values()
    assert "kept.localhost" in _delivered(world)
    assert told(world)[0].remedy.startswith("Bring one for kept.localhost, where it needs one:")


def test_the_alert_tells_for_a_week(world: World, project: Project) -> None:
    bring(world, project, "given.localhost")
    deployed(world, project, KEPT)
    host_changes.release(world.services, "given.localhost", project.name)
    certificates.renew(world.services)
    assert len(told(world)) == 1
    world.clock.now += timedelta(days=7)
    certificates.renew(world.services)
    assert told(world) == []


def test_a_name_that_an_administrator_gives_to_others_takes_it_too(world: World, project: Project) -> None:
    """The default domain of an environment to which nothing was deployed."""
    chain = bring(world, project, "production-api-shop.localhost")
    boss = world.user("boss", admin=True)
    world.project("other/one")
    host_changes.assign(world.services, "*.localhost", "shop", boss)
    assert chain in _delivered(world).values()
    host_changes.assign(world.services, "production-api-shop.localhost", "other/one", boss)
    assert uploaded(world) == []
    assert chain not in _delivered(world).values()
    assert len(told(world)) == 1


def test_the_next_owner_is_not_served_with_it_whatever_was_forgotten(world: World, project: Project) -> None:
    """A kill may come between the giving up and the removal, and a domain that nobody routes is nobody's claim."""
    chain = bring(world, project, "given.localhost")
    deployed(world, project, KEPT)
    with world.services.database.writing() as tx:
        hosts.remove_claim(tx, "given.localhost", world.environment(project, "staging").id)
    assert deployed(world, world.project("shop/web"), "Host:given.localhost").status is SUCCEEDED
    assert chain not in _delivered(world).values()
    assert len(uploaded(world)) == 1
    certificates.renew(world.services)
    assert uploaded(world) == []


def test_a_domain_that_an_environment_has_no_more_takes_it_too(world: World, project: Project) -> None:
    settings.set_environment(world.services, project, "production", ADMIN, domain="soon.localhost")
    chain = bring(world, project, "soon.localhost")
    certificates.renew(world.services)
    assert _delivered(world)["soon.localhost"] == chain
    settings.set_environment(world.services, project, "production", ADMIN, domain="")
    certificates.renew(world.services)
    assert chain not in _delivered(world).values()
    assert uploaded(world) == []


def test_what_the_installation_has_and_what_is_still_the_projects_stays(world: World, project: Project) -> None:
    wide, own = bring(world, None, "given.localhost"), bring(world, project, "kept.localhost")
    assert deployed(world, world.project("shop/web"), "Host:kept.localhost").status is FAILED
    deployed(world, project, KEPT)
    host_changes.release(world.services, "given.localhost", project.name)
    certificates.renew(world.services)
    assert {wide, own} <= {*_delivered(world).values()}
    assert told(world) == []
