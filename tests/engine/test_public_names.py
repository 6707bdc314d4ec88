"""How many names with ACME certificates a project may have."""

from __future__ import annotations

import pytest
from tests.engine.test_certificates import _issued
from tests.engine.test_hosts import FAILED, SUCCEEDED, deployed
from tests.engine.world import World

from cabestan.domain.project import Project
from cabestan.engine.names import host_changes, hosts, uploads


@pytest.fixture
def project(world: World) -> Project:
    """Two public names each, on an installation with ACME."""
    world.services.settings.__dict__.update(acme_email="me@example.org", public_names=2)
    return world.project()


def test_one_name_too_many_is_refused_when_it_is_planned(world: World, project: Project) -> None:
    assert deployed(world, project, "Host:a.org,b.org").status is SUCCEEDED
    refused = deployed(world, project, "Host:a.org,c.org")
    assert (refused.status, refused.reason) == (
        FAILED,
        "With c.org, shop/api would have 3 public host names, and a project may have 2. "
        "Give up what is not routed any more (`cabestan host list`, `cabestan host release`), bring a certificate "
        "for some (`cabestan certificate add`), or have an administrator raise public_names in the settings.",
    )
    assert len(hosts.ownership(world.services).claims) == 2


def test_another_project_has_a_count_of_its_own_and_each_counts_all_its_environments(
    world: World, project: Project
) -> None:
    assert deployed(world, project, "Host:a.org,b.org").status is SUCCEEDED
    assert deployed(world, world.project("shop/web"), "Host:c.org,d.org").status is SUCCEEDED
    assert deployed(world, project, "Host:e.org").status is FAILED


def test_what_needs_no_order_does_not_count(world: World, project: Project) -> None:
    world.services.settings.__dict__.update(private_domains="corp.net")
    rule = "Host:a.org,b.org,c.localhost,d.corp.net,e.internal;PathPrefix:/x"
    assert deployed(world, project, rule).status is SUCCEEDED
    assert deployed(world, project, "HostRegexp:{x:[a-z]+}.sub.a.org").status is SUCCEEDED
    assert deployed(world, project, "Host:c.org").status is FAILED
    brought = _issued(world, "c.org")
    uploads.add(world.services, None, brought.certificate.chain, brought.key, "boss")
    assert deployed(world, project, "Host:c.org").status is SUCCEEDED


def test_without_acme_no_name_counts(world: World, project: Project) -> None:
    world.services.settings.__dict__.update(acme_email="")
    assert deployed(world, project, "Host:a.org,b.org,c.org").status is SUCCEEDED


def test_names_that_the_wildcard_of_the_target_holds_do_not_count(world: World, project: Project) -> None:
    world.services.settings.__dict__.update(target_domain="apps.org", acme_dns_provider="ovh", public_names=0)
    assert deployed(world, project, "Host:a.apps.org,apps.org").status is SUCCEEDED
    assert deployed(world, project, "Host:a.b.apps.org").status is FAILED


def test_what_a_project_has_it_keeps_when_the_bound_is_lowered(world: World, project: Project) -> None:
    assert deployed(world, project, "Host:a.org,b.org").status is SUCCEEDED
    world.services.settings.__dict__.update(public_names=1)
    assert deployed(world, project, "Host:a.org,b.org").status is SUCCEEDED
    assert deployed(world, project, "Host:c.org").status is FAILED


def test_a_name_that_is_given_up_makes_room(world: World, project: Project) -> None:
    assert deployed(world, project, "Host:a.org,b.org").status is SUCCEEDED
    assert deployed(world, project, "Host:a.org").status is SUCCEEDED
    assert deployed(world, project, "Host:a.org,c.org").status is FAILED
    host_changes.release(world.services, "b.org", "shop/api")
    assert deployed(world, project, "Host:a.org,c.org").status is SUCCEEDED
