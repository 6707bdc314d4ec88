"""Certificates as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cabestan.domain.certificate import Certificate, CertificateKind

_SOURCES = {CertificateKind.OWN: "own authority", CertificateKind.UPLOADED: "brought", CertificateKind.ACME: "ACME"}
_SOON = timedelta(days=30)


@dataclass(frozen=True)
class CertificateRow:
    """`until` is a date. `ends` says how it stands where that needs saying; `removable` where the page's form may."""

    id: int
    hosts: tuple[str, ...]
    source: str
    issuer: str
    until: str
    ends: str
    by: str
    fingerprint: str
    removable: bool


@dataclass(frozen=True)
class CertificatesPage:
    """`place` is the page's address; `names` are the host names of the project, none for the whole installation."""

    place: str
    rows: tuple[CertificateRow, ...]
    names: tuple[str, ...]
    may_configure: bool


def certificate_rows(found: Iterable[Certificate], project: str, now: datetime) -> tuple[CertificateRow, ...]:
    return tuple(
        CertificateRow(
            id=certificate.id,
            hosts=certificate.hosts,
            source=_SOURCES[certificate.kind],
            issuer=certificate.issuer,
            until=f"{certificate.not_after:%Y-%m-%d}",
            ends=_ends(certificate.not_after - now),
            by=certificate.by,
            fingerprint=certificate.fingerprint,
            removable=certificate.kind is CertificateKind.UPLOADED and certificate.project == project,
        )
        for certificate in found
    )


def _ends(left: timedelta) -> str:
    if left <= timedelta():
        return "has ended"
    return f"ends in {left.days} days" if left < _SOON else ""
