"""Certificates that the router serves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cabestan.domain.host import covers


class CertificateKind(StrEnum):
    """Where a certificate comes from."""

    #: the installation's own authority, which signs the next kind
    AUTHORITY = "authority"
    #: made here, signed by the own authority
    OWN = "own"
    #: brought by somebody
    UPLOADED = "uploaded"
    #: had over ACME by the router, which keeps it
    ACME = "acme"


@dataclass(frozen=True)
class Certificate:
    """`chain` is PEM, the certificate itself first. `project` is empty where it is of the whole installation.

    `fingerprint` is the SHA-256 of the certificate, in hexadecimal digits. `id` is 0 for what the router keeps.
    """

    id: int
    kind: CertificateKind
    hosts: tuple[str, ...]
    chain: str
    issuer: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    project: str = ""
    by: str = ""

    def holds_for(self, host: str) -> bool:
        return any(covers(name, host) for name in self.hosts)
