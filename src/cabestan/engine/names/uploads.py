"""Certificates that people bring: checked, sealed, given to the router."""

import sqlalchemy as sa

from cabestan.adapters.certificates import check_upload
from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.domain.project import Project
from cabestan.engine.names import certificates, hosts
from cabestan.engine.services import Services
from cabestan.errors import Forbidden, NotFound
from cabestan.store import certificates as store
from cabestan.store import outbox


def add(services: Services, project: Project | None, chain: str, key: str, by: str) -> Certificate:
    """For a project, or for all names of the installation. Raises Invalid, and Forbidden for names of others."""
    given = check_upload(chain, key, services.now())
    sealed = services.vault.seal(key, certificates.SEALED_AS)
    with services.database.writing() as tx:
        if project:
            _check_names(services, tx, project, given)
        key_id = store.add(tx, given, sealed, project_id=project.id if project else None, by=by)
        added = store.get(tx, key_id)
        outbox.tell(tx, project.id if project else None, services.now())
    certificates.deliver(services)
    return added


def remove(services: Services, project: Project | None, key: int) -> None:
    """The names have what they would have without it, at once. Raises NotFound, also for one of somebody else."""
    with services.database.writing() as tx:
        if key not in [certificate.id for certificate in store.uploaded_in(tx, project.id if project else None)]:
            raise NotFound(f"There is no certificate {key} here.", "`cabestan certificate list` shows them.")
        store.remove(tx, key)
        outbox.tell(tx, project.id if project else None, services.now())
    certificates.renew(services)


def in_use(services: Services, tx: sa.Connection, project: Project) -> tuple[Certificate, ...]:
    """Those that hold for a name of the project: brought for it or for the installation, or made here."""
    names = hosts.names_of(services, tx, project)
    found = store.of_kind(tx, CertificateKind.UPLOADED, CertificateKind.OWN)
    return tuple(
        c for c in found if c.project == project.name or (not c.project and any(c.holds_for(name) for name in names))
    )


def _check_names(services: Services, tx: sa.Connection, project: Project, given: Certificate) -> None:
    """A wildcard would hold for names of other projects, too."""
    names = hosts.names_of(services, tx, project)
    foreign = [host for host in given.hosts if host not in names]
    if foreign:
        raise Forbidden(
            f"The certificate is for {foreign[0]}, which does not belong to {project.name}.",
            "Route the name in this project first, or have an administrator add it for the whole installation.",
        )
