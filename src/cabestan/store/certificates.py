"""Certificates, their keys sealed."""

from collections.abc import Mapping

import sqlalchemy as sa

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.errors import NotFound
from cabestan.store.schema import certificates, projects
from cabestan.store.values import dump, load_list


def add(
    tx: sa.Connection, certificate: Certificate, sealed: bytes, *, project_id: int | None = None, by: str = ""
) -> int:
    """The same one again replaces itself. Gives its id."""
    tx.execute(sa.delete(certificates).where(certificates.c.fingerprint == certificate.fingerprint))
    row = {
        "project_id": project_id,
        "kind": certificate.kind,
        "hosts": dump(certificate.hosts),
        "chain": certificate.chain,
        "sealed": sealed,
        "issuer": certificate.issuer,
        "fingerprint": certificate.fingerprint,
        "by": by,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
    }
    key: int = tx.execute(sa.insert(certificates).values(row).returning(certificates.c.id)).scalar_one()
    return key


def remove(tx: sa.Connection, key: int) -> None:
    tx.execute(sa.delete(certificates).where(certificates.c.id == key))


def authority(tx: sa.Connection) -> Certificate | None:
    """The newest, which signs."""
    found = of_kind(tx, CertificateKind.AUTHORITY)
    return found[-1] if found else None


def of_kind(tx: sa.Connection, *kinds: CertificateKind) -> tuple[Certificate, ...]:
    """The oldest first."""
    return _values(tx, certificates.c.kind.in_(kinds))


def uploaded_in(tx: sa.Connection, project_id: int | None) -> tuple[Certificate, ...]:
    """What was brought for a project, or for the installation."""
    return _values(
        tx,
        (certificates.c.kind == CertificateKind.UPLOADED)
        & (certificates.c.project_id.is_not_distinct_from(project_id)),
    )


def get(tx: sa.Connection, key: int) -> Certificate:
    found = _values(tx, certificates.c.id == key)
    if not found:
        raise NotFound(f"There is no certificate {key}.", "`cabestan certificate list` shows them.")
    return found[0]


def sealed(tx: sa.Connection) -> Mapping[int, bytes]:
    """Id to sealed key, of all."""
    return {row.id: row.sealed for row in tx.execute(sa.select(certificates.c.id, certificates.c.sealed))}


def _values(tx: sa.Connection, wanted: sa.ColumnElement[bool]) -> tuple[Certificate, ...]:
    query = (
        sa.select(certificates, projects.c.name.label("project"))
        .select_from(certificates.outerjoin(projects))
        .where(wanted)
        .order_by(certificates.c.id)
    )
    return tuple(
        Certificate(
            id=row.id,
            kind=CertificateKind(row.kind),
            hosts=load_list(row.hosts),
            chain=row.chain,
            issuer=row.issuer,
            fingerprint=row.fingerprint,
            not_before=row.not_before,
            not_after=row.not_after,
            project=row.project or "",
            by=row.by,
        )
        for row in tx.execute(query)
    )
