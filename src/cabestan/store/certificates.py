"""Certificates, their keys sealed."""

from collections.abc import Mapping

import sqlalchemy as sa

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.errors import NotFound
from cabestan.store.rows import PROJECT_OR_NONE, Rows, columns_of
from cabestan.store.schema import certificates, projects

_CERTIFICATES = Rows(Certificate, certificates, certificates.outerjoin(projects), project=PROJECT_OR_NONE)


def add(
    tx: sa.Connection, certificate: Certificate, sealed: bytes, *, project_id: int | None = None, by: str = ""
) -> int:
    """The same one again replaces itself. Gives its id."""
    tx.execute(sa.delete(certificates).where(certificates.c.fingerprint == certificate.fingerprint))
    row = columns_of(certificates, certificate) | {"project_id": project_id, "sealed": sealed, "by": by}
    return _CERTIFICATES.add(tx, **row)


def remove(tx: sa.Connection, key: int) -> None:
    tx.execute(sa.delete(certificates).where(certificates.c.id == key))


def authority(tx: sa.Connection) -> Certificate | None:
    """The newest, which signs."""
    return _CERTIFICATES.latest(tx, certificates.c.kind == CertificateKind.AUTHORITY)


def of_kind(tx: sa.Connection, *kinds: CertificateKind) -> tuple[Certificate, ...]:
    """The oldest first."""
    return _CERTIFICATES.all(tx, certificates.c.kind.in_(kinds), by=(certificates.c.id,))


def uploaded_in(tx: sa.Connection, project_id: int | None) -> tuple[Certificate, ...]:
    """What was brought for a project, or for the installation."""
    of_it = certificates.c.project_id.is_not_distinct_from(project_id)
    return _CERTIFICATES.all(tx, certificates.c.kind == CertificateKind.UPLOADED, of_it, by=(certificates.c.id,))


def get(tx: sa.Connection, key: int) -> Certificate:
    return _CERTIFICATES.get(tx, key, no_certificate)


def no_certificate(key: int) -> NotFound:
    return NotFound(f"There is no certificate {key}.", "`cabestan certificate list` shows them.")


def sealed(tx: sa.Connection) -> Mapping[int, bytes]:
    """Id to sealed key, of all."""
    return {row.id: row.sealed for row in tx.execute(sa.select(certificates.c.id, certificates.c.sealed))}
