"""The router's certificates: made here for names that are not public, uploaded by people, and all of them watched."""

import secrets
import threading

import sqlalchemy as sa
import structlog

from cabestan.adapters import certificates as x509
from cabestan.adapters.certificates import Issued
from cabestan.adapters.traefik import certificates_file
from cabestan.adapters.vault import Vault
from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.domain.host import wildcard_of
from cabestan.engine.names.signers import own_domains, signer_of
from cabestan.engine.names.unwarranted import drop_unwarranted, unwarranted
from cabestan.engine.services import Services
from cabestan.store import certificates as store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store

_log = structlog.get_logger(__name__)
_KINDS = (CertificateKind.OWN, CertificateKind.UPLOADED)
#: what sealed keys are bound to
SEALED_AS = "certificate"
#: a certificate of our own is made anew when less than this part of its life is left
_RENEWED_PART = 1 / 3
#: what was read first must not be written last
_delivering = threading.Lock()


def authority(services: Services) -> Issued:
    """The one that signs, with its key; made where there is none, or none for the domains of today."""
    with services.database.reading() as tx:
        present = store.authority(tx)
        sealed = store.sealed(tx)
    if present and _is_fit(services, present):
        return Issued(present, _open(services.vault, sealed[present.id]))
    return _make_authority(services)


def root(services: Services) -> Certificate:
    """The root that browsers have to trust: `chain` is its PEM."""
    return authority(services).certificate


def _is_fit(services: Services, present: Certificate) -> bool:
    fits = x509.permitted_domains(present) == frozenset(own_domains(services.settings))
    return fits and not _is_due(services, present)


def _is_due(services: Services, certificate: Certificate) -> bool:
    life = certificate.not_after - certificate.not_before
    return certificate.not_after - services.now() < life * _RENEWED_PART


def _make_authority(services: Services) -> Issued:
    now = services.now()
    name = f"Cabestan {services.settings.instance} {now:%Y-%m-%d} {secrets.token_hex(3)}"
    made = x509.make_authority(name, own_domains(services.settings), now)
    with services.database.writing() as tx:
        present = store.authority(tx)
        if present and _is_fit(services, present):  # another process was faster
            return Issued(present, _open(services.vault, store.sealed(tx)[present.id]))
        store.add(tx, made.certificate, _seal(services.vault, made.key))
    _log.info("made an authority: browsers have to trust its root anew", fingerprint=made.certificate.fingerprint)
    return made


def ensure(services: Services, hosts: tuple[str, ...]) -> None:
    """Has a certificate for each of the names that the own authority signs for, and the router have them.

    It gets them each time: a kill may have come between the making and the giving.
    """
    issue_missing(services, hosts)
    deliver(services)


def issue_missing(services: Services, hosts: tuple[str, ...]) -> int:
    """Makes what is lacking or will end; gives how many were made."""
    signing = authority(services)
    with services.database.writing() as tx:
        present = store.of_kind(tx, *_KINDS)
        wanted = _wanted(services, (*hosts, *_domains(services, tx)))
        lacking = [names for names in wanted if not _is_held(services, present, names, signing)]
        for names in lacking:
            made = x509.issue(signing, names, services.now())
            store.add(tx, made.certificate, _seal(services.vault, made.key))
            for old in (c for c in present if c.kind is CertificateKind.OWN and c.hosts == names):
                store.remove(tx, old.id)
    return len(lacking)


def _wanted(services: Services, hosts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The names of each certificate: one for each host, and one for all names of the target's domain."""
    domain = services.settings.target_domain
    groups = ((domain, *wildcard_of(domain)), *((host,) for host in hosts))
    return tuple(dict.fromkeys(g for g in groups if signer_of(services.settings, g[0]) is CertificateKind.OWN))


def _domains(services: Services, tx: sa.Connection) -> tuple[str, ...]:
    """Of all environments, also where nothing is deployed yet: what says so there is read without a warning."""
    target = services.settings.target_domain
    return tuple(environment.full_domain(target) for environment in environment_store.all_environments(tx))


def _is_held(services: Services, present: tuple[Certificate, ...], names: tuple[str, ...], signing: Issued) -> bool:
    issuer = signing.certificate.issuer
    own = [c for c in present if c.kind is CertificateKind.OWN and c.issuer == issuer and not _is_due(services, c)]
    return any(c.hosts == names for c in own)


def deliver(services: Services) -> None:
    """All certificates to each router, which takes them up at once and keeps them without this server."""
    with _delivering:
        path, content = _router_file(services)
        for cluster in services.clusters.values():
            cluster.platform.write(cluster.router, {path: content})


def _router_file(services: Services) -> tuple[str, bytes]:
    with services.database.reading() as tx:
        present, sealed = store.of_kind(tx, *_KINDS), store.sealed(tx)
        foreign = unwarranted(services, tx)
    uploaded = [c for c in present if c.kind is CertificateKind.UPLOADED and c not in foreign]
    uploaded = [c for c in uploaded if c.not_after > services.now()]
    own = [c for c in present if c.kind is CertificateKind.OWN and not _is_covered(c, uploaded)]
    issued = [Issued(c, _open(services.vault, sealed[c.id])) for c in (*uploaded, *own)]
    domain = services.settings.target_domain
    default = next((i for i in issued if i.certificate.hosts[:1] == (domain,)), None)
    return certificates_file(issued, default)


def _is_covered(own: Certificate, uploaded: list[Certificate]) -> bool:
    """Of two that hold for a name, the router would take any."""
    return all(any(certificate.holds_for(host) for certificate in uploaded) for host in own.hosts)


def routed_hosts(services: Services) -> tuple[str, ...]:
    """The names that lead to what serves now."""
    with services.database.reading() as tx:
        return _routed(tx)


def _routed(tx: sa.Connection) -> tuple[str, ...]:
    keys = [e.current_deployment_id for e in environment_store.all_environments(tx)]
    plans = [deployment_store.plan_of(tx, key) for key in keys if key is not None]
    return tuple(sorted({host for plan in plans if plan for host in plan.hosts}))


def renew(services: Services) -> None:
    """Once an hour, and at each start: what is lacking or will end is made anew, and the router given all.

    What was uploaded for names that changed hands goes.
    """
    with services.database.writing() as tx:
        drop_unwarranted(services, tx)
    hosts = routed_hosts(services)
    issue_missing(services, hosts)
    _drop_unused(services, hosts)
    deliver(services)


def _drop_unused(services: Services, hosts: tuple[str, ...]) -> None:
    """Certificates of our own for names that lead nowhere any more, or that another authority signed."""
    issuer = authority(services).certificate.issuer
    with services.database.writing() as tx:
        kept = _wanted(services, (*hosts, *_domains(services, tx)))
        for certificate in store.of_kind(tx, CertificateKind.OWN):
            old = _is_due(services, certificate)
            unused = certificate.hosts not in kept and not _is_young(services, certificate)
            if unused or old or certificate.issuer != issuer:
                store.remove(tx, certificate.id)


def forget(services: Services, hosts: tuple[str, ...]) -> None:
    """Certificates of our own for names that nothing has any more, of these; no router keeps a copy."""
    with services.database.writing() as tx:
        kept = _wanted(services, (*_routed(tx), *_domains(services, tx)))
        for certificate in store.of_kind(tx, CertificateKind.OWN):
            if certificate.hosts not in kept and frozenset(certificate.hosts) <= frozenset(hosts):
                store.remove(tx, certificate.id)
    deliver(services)


def _is_young(services: Services, certificate: Certificate) -> bool:
    """Made within the day: a deployment may be under way for its name."""
    return (services.now() - certificate.not_before).days < 1


def _seal(vault: Vault, key: str) -> bytes:
    return vault.seal(key, SEALED_AS)


def _open(vault: Vault, sealed: bytes) -> str:
    return vault.open(sealed, SEALED_AS)
