"""Which certificates there are, who signs them, and what is raised about them."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

import pytest
import yaml
from tests.engine.world import World
from tests.samples import ADMIN

from cabestan.adapters.certificates import Issued, issue, make_authority
from cabestan.config import Settings
from cabestan.domain.certificate import CertificateKind
from cabestan.domain.project import Project
from cabestan.domain.target import LOCAL
from cabestan.engine.deploying import settings
from cabestan.engine.names import certificate_watch, certificates, uploads
from cabestan.engine.names.signers import signer_of
from cabestan.errors import Forbidden, NotFound
from cabestan.store import alerts
from cabestan.store import certificates as store

HOST = "staging-api-shop.localhost"
FILE = "/router/certificates.yml"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.released(made)
    return made


def _delivered(world: World) -> dict[str, str]:
    """Names to chain, of what the router has."""
    tls: dict[str, Any] = yaml.safe_load(world.platform.files[FILE])["tls"]
    return {_names(pair["certFile"]): pair["certFile"] for pair in tls["certificates"]}


def _names(chain: str) -> str:
    from cabestan.adapters.certificates import read_der

    return " ".join(read_der(ssl.PEM_cert_to_DER_cert(chain)).hosts)


def _issued(world: World, *hosts: str) -> Issued:
    return issue(make_authority("Elsewhere", ("localhost",), world.clock.now), hosts, world.clock.now)


@pytest.mark.parametrize(
    ("given", "signers"),
    [
        ({}, ("own", "own", None)),
        ({"target_domain": "apps.example.org"}, ("own", "own", None)),
        ({"target_domain": "apps.example.org", "acme_email": "a@b.org"}, ("own", "acme", "acme")),
        ({"acme_email": "a@b.org", "private_domains": "example.org"}, ("own", "own", "acme")),
        ({"private_domains": "example.org, other.net"}, ("own", "own", "own")),
    ],
)
def test_who_signs_for_a_name(given: dict[str, str], signers: tuple[str | None, ...]) -> None:
    chosen = Settings(**{"target_domain": "example.org"} | given)
    hosts = ("a.internal", "x.apps.example.org", "other.net")
    assert tuple(signer_of(chosen, host) for host in hosts) == signers


def test_a_deployed_name_has_a_certificate_and_so_have_the_other_environments(world: World, project: Project) -> None:
    assert sorted(_delivered(world)) == ["localhost", "production-api-shop.localhost", HOST]
    before = _delivered(world)
    world.released(project)
    certificates.renew(world.services)
    assert _delivered(world) == before


def test_what_was_made_before_a_kill_is_given_to_the_router_after_it(world: World, project: Project) -> None:
    certificates.issue_missing(world.services, ("new.localhost",))
    before = dict(world.platform.files)
    certificates.ensure(world.services, ("new.localhost",))
    assert world.platform.files != before


def test_one_that_will_end_is_made_anew_by_the_same_authority(world: World, project: Project) -> None:
    before, root = _delivered(world), certificates.root(world.services)
    world.clock.now += timedelta(days=300)
    certificates.renew(world.services)
    after = _delivered(world)
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)
    assert certificates.root(world.services) == root


def test_another_target_domain_makes_another_authority_and_new_certificates(world: World, project: Project) -> None:
    root = certificates.root(world.services)
    changed = world.services.settings.model_copy(update={"target_domain": "apps.internal.example.org"})
    object.__setattr__(world.services, "settings", changed)
    certificates.renew(world.services)
    assert certificates.root(world.services).fingerprint != root.fingerprint
    assert "apps.internal.example.org *.apps.internal.example.org" in _delivered(world)
    with world.services.database.reading() as tx:
        issuers = {c.issuer for c in store.of_kind(tx, CertificateKind.OWN)}
    assert issuers == {certificates.root(world.services).issuer}


def test_a_name_that_leads_nowhere_any_more_loses_its_certificate(world: World, project: Project) -> None:
    certificates.ensure(world.services, ("old.localhost",))
    assert "old.localhost" in _delivered(world)
    world.clock.now += timedelta(days=2)
    certificates.renew(world.services)
    assert "old.localhost" not in _delivered(world)


def test_no_key_is_stored_in_the_clear(world: World, project: Project) -> None:
    with world.services.database.reading() as tx:
        sealed = store.sealed(tx)
    assert len(sealed) == 4
    assert not [value for value in sealed.values() if b"PRIVATE" in value]


def test_a_certificate_that_was_brought_goes_first_until_it_ends_or_is_removed(world: World, project: Project) -> None:
    brought = _issued(world, HOST)
    added = uploads.add(world.services, project, brought.certificate.chain, brought.key, "dev")
    assert (added.kind, added.hosts, added.project, added.by) == ("uploaded", (HOST,), "shop/api", "dev")
    assert _delivered(world)[HOST] == brought.certificate.chain
    own = certificates.root(world.services)
    uploads.remove(world.services, project, added.id)
    assert _delivered(world)[HOST] != brought.certificate.chain
    again = uploads.add(world.services, project, brought.certificate.chain, brought.key, "dev")
    world.clock.now += timedelta(days=398)
    certificates.renew(world.services)
    assert _delivered(world)[HOST] != brought.certificate.chain
    assert certificates.root(world.services) == own
    with pytest.raises(NotFound):
        uploads.remove(world.services, None, again.id)


def test_a_project_brings_certificates_for_its_own_names_alone(world: World, project: Project) -> None:
    other = world.project("shop/other")
    for hosts in ((HOST,), ("*.localhost",), ("staging-other-shop.localhost", HOST)):
        brought = _issued(world, *hosts)
        with pytest.raises(Forbidden, match="does not belong to shop/other"):
            uploads.add(world.services, other, brought.certificate.chain, brought.key, "dev")
    for_all = _issued(world, "*.localhost")
    uploads.add(world.services, None, for_all.certificate.chain, for_all.key, "root")
    with world.services.database.reading() as tx:
        assert "Elsewhere" in {c.issuer for c in uploads.in_use(world.services, tx, project)}


def test_what_the_router_shows_is_watched(world: World, project: Project, tmp_path: Path) -> None:
    world.clock.now += timedelta(hours=1)
    good, wrong = _issued(world, HOST), _issued(world, "other.localhost")
    with _showing(world, wrong, tmp_path):
        certificate_watch.watch(world.services)
    with world.services.database.reading() as tx:
        (raised,) = alerts.all_open(tx, "certificate")
    assert (raised.subject, raised.project) == (HOST, "shop/api")
    assert raised.message == f"The router has no certificate for {HOST}: browsers warn."
    with _showing(world, good, tmp_path):
        certificate_watch.watch(world.services)
        with world.services.database.reading() as tx:
            assert alerts.all_open(tx) == ()
        world.clock.now += timedelta(days=380)
        certificate_watch.watch(world.services)
    with world.services.database.reading() as tx:
        (late,) = alerts.all_open(tx, "certificate")
    assert late.message.endswith("and was not renewed.")


def test_a_certificate_is_judged_by_its_names_and_by_what_is_left_of_its_life(world: World) -> None:
    shown = _issued(world, HOST).certificate
    words = {
        days: certificate_watch.judge(shown, HOST, shown.not_before + timedelta(days=days)).partition(f"{HOST} ")[2][:9]
        for days in (0, 376, 378, 397)
    }
    assert words == {0: "", 376: "", 378: "ends on 2", 397: "ended on "}


def test_a_plan_asks_acme_for_public_names_alone(world: World, project: Project) -> None:
    changed = world.services.settings.model_copy(update={"acme_email": "a@b.org"})
    object.__setattr__(world.services, "settings", changed)
    settings.set_environment(world.services, project, "staging", ADMIN, domain="www.example.org", plain_http=True)
    world.released(project)
    stack = world.stacks.deployed["cabestan-1-shop-api-staging"]
    assert "tls.certresolver: acme" in stack
    assert "tls.domains[0].main: www.example.org" in stack
    assert "to-https@file" not in stack


@contextmanager
def _showing(world: World, issued: Issued, folder: Path) -> Iterator[None]:
    """A server in the router's place, with a certificate."""
    pair = folder / "pair.pem"
    pair.write_text(issued.certificate.chain + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.num_tickets = 0  # who looks at the certificate alone would leave them unread
    with create_server(("127.0.0.1", 0)) as listening:
        home = world.services.home
        reached = replace(home.target, router_tls_port=listening.getsockname()[1])
        object.__setattr__(world.services, "clusters", {LOCAL: replace(home, target=reached)})
        thread = Thread(target=_serve, args=(listening, context))
        thread.start()
        try:
            yield
        finally:
            listening.shutdown(2)
            thread.join()


def _serve(listening: Any, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)
