"""Who signs for a host name."""

from cabestan.config import Settings
from cabestan.domain.certificate import CertificateKind
from cabestan.domain.host import SPECIAL_DOMAINS, is_below, is_public


def signer_of(settings: Settings, host: str) -> CertificateKind | None:
    """Who has to sign for a name that nobody brought a certificate for; None where nobody does."""
    if settings.acme_email and is_public(host, settings.private_domain_names):
        return CertificateKind.ACME
    return CertificateKind.OWN if is_below(host, own_domains(settings)) else None


def own_domains(settings: Settings) -> tuple[str, ...]:
    """What the installation's own authority may sign for."""
    return tuple(sorted({*SPECIAL_DOMAINS, *settings.private_domain_names, settings.target_domain}))
