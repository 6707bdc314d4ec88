"""How many public host names a project may have: each is an order with the ACME server, which bounds all of ours."""

from collections.abc import Iterable

import sqlalchemy as sa

from cabestan.config import Settings
from cabestan.domain.certificate import CertificateKind
from cabestan.domain.host import covers, wildcard_of
from cabestan.domain.project import Project
from cabestan.engine.names.signers import signer_of
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import certificates as certificate_store
from cabestan.store import hosts as store

_SHOWN = 5


def check(services: Services, tx: sa.Connection, project: Project, patterns: Iterable[str]) -> None:
    """Raises Conflict where these would make too many. What the project has already it keeps, whatever the bound."""
    known = {claim.pattern for claim in store.claims(tx) if claim.project == project.name}
    fresh = _ordered(services, tx, project, set(patterns) - known)
    if not fresh:
        return
    every = fresh + _ordered(services, tx, project, known)
    most = services.settings.public_names
    if len(every) > most:
        shown = ", ".join(fresh[:_SHOWN]) + (f" and {len(fresh) - _SHOWN} more" if len(fresh) > _SHOWN else "")
        raise Conflict(
            f"With {shown}, {project.name} would have {len(every)} public host names, and a project may have {most}.",
            "Give up what is not routed any more (`cabestan host list`, `cabestan host release`), bring a certificate "
            "for some (`cabestan certificate add`), or have an administrator raise public_names in the settings.",
        )


def _ordered(services: Services, tx: sa.Connection, project: Project, names: Iterable[str]) -> list[str]:
    """Those that the router has to order a certificate for."""
    uploaded = [
        certificate
        for owner in (project.id, None)
        for certificate in certificate_store.uploaded_in(tx, owner)
        if certificate.not_after > services.now()
    ]
    return sorted(
        name
        for name in names
        if not name.startswith("*.")
        and signer_of(services.settings, name) is CertificateKind.ACME
        and not _is_below_wildcard(services.settings, name)
        and not any(certificate.holds_for(name) for certificate in uploaded)
    )


def _is_below_wildcard(settings: Settings, name: str) -> bool:
    """By the DNS challenge all names of the target's domain have one certificate."""
    domain = settings.target_domain
    return bool(settings.acme_dns_provider) and any(covers(one, name) for one in (domain, *wildcard_of(domain)))
