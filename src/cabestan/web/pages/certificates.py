"""The certificates of a project, and, for administrators, those of the installation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.domain.environment import Environment
from cabestan.engine.names import hosts, uploads
from cabestan.engine.names.signers import signer_of
from cabestan.engine.services import Services
from cabestan.store import certificates as store
from cabestan.store import environments as environment_store
from cabestan.store import hosts as host_store
from cabestan.store.hosts import HostClaim
from cabestan.web.access import SignedIn, Wired, require_admin
from cabestan.web.pages.answers import Configuring, Reading, Text, html, see
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
Chain = Annotated[str, Form(max_length=100_000)]
Key = Annotated[str, Form(max_length=20_000)]
_PLACE = "/certificates"
_AT = "/{group}/{name}/settings/certificates"
_ORIGINS = {
    CertificateKind.UPLOADED: ("Brought", "by people, for names of theirs"),
    CertificateKind.OWN: ("Own authority", "signed here, for names that are not public"),
    CertificateKind.ACME: ("ACME", "had and renewed by the router, which keeps them"),
}
_SOON = timedelta(days=30)


@dataclass(frozen=True)
class Place:
    """What certificates are for: an environment, a project, or neither. `names` are had over ACME, by the router."""

    name: str
    href: str
    rows: tuple[Certificate, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where certificates come from, with what they are for."""

    title: str
    hint: str
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        return sum(len(place.rows) + len(place.names) for place in self.places)


@router.get(_PLACE)
def of_installation(visitor: SignedIn, services: Wired) -> Response:
    require_admin(visitor.user)
    with services.database.reading() as tx:
        found = store.of_kind(tx, CertificateKind.UPLOADED, CertificateKind.OWN)
        claims = (*host_store.claims(tx), *_domains(services, environment_store.all_environments(tx)))
    return html(
        "certificates.html",
        plain_frame(visitor, "Certificates", "project:*", href=_PLACE),
        place_of_forms=_PLACE,
        origins=origins(found, claims, _over_acme(services)),
        names=(),
        may_configure=True,
        project="",
        now=services.now(),
        ends=ends,
        removable=removable,
    )


@router.post(_PLACE)
def add(visitor: SignedIn, services: Wired, chain: Chain, key: Key) -> Response:
    require_admin(visitor.user)
    uploads.add(services, None, chain, key, visitor.user.name)
    return see(_PLACE)


@router.post(_PLACE + "/remove")
def remove(visitor: SignedIn, services: Wired, certificate: Text) -> Response:
    require_admin(visitor.user)
    uploads.remove(services, None, _number(certificate))
    return see(_PLACE)


@router.get(_AT)
def of_project(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        found = uploads.in_use(at.services, tx, at.project)
        names = hosts.names_of(at.services, tx, at.project)
        claimed = tuple(claim for claim in host_store.claims(tx) if claim.project == at.project.name)
        claims = (*claimed, *_domains(at.services, environment_store.of_project(tx, at.project.id)))
    return at.html(
        "certificates.html",
        "Certificates",
        place_of_forms=f"/{at.project.name}/settings/certificates",
        origins=origins(found, claims, _over_acme(at.services)),
        names=names,
        may_configure=at.rights.configure,
        ends=ends,
        removable=removable,
    )


@router.post(_AT)
def add_to_project(at: Configuring, chain: Chain, key: Key) -> Response:
    uploads.add(at.services, at.project, chain, key, at.user.name)
    return at.see("settings/certificates")


@router.post(_AT + "/remove")
def remove_from_project(at: Configuring, certificate: Text) -> Response:
    uploads.remove(at.services, at.project, _number(certificate))
    return at.see("settings/certificates")


def origins(
    found: Iterable[Certificate], claims: Sequence[HostClaim], over_acme: Callable[[str], bool]
) -> tuple[Origin, ...]:
    """By where they come from, then by what they are for, by name; only those that there are."""
    places: dict[CertificateKind, dict[tuple[str, str], Place]] = {kind: {} for kind in _ORIGINS}
    for one in found:
        at = _place_of(one, claims)
        place = places[one.kind].setdefault(at, Place(*at))
        places[one.kind][at] = replace(place, rows=(*place.rows, one))
    brought = [one for place in places[CertificateKind.UPLOADED].values() for one in place.rows]
    for claim in {(claim.pattern, claim.environment_id): claim for claim in claims}.values():
        if over_acme(claim.pattern) and not any(one.holds_for(claim.pattern) for one in brought):
            at = _environment(claim)
            place = places[CertificateKind.ACME].setdefault(at, Place(*at))
            places[CertificateKind.ACME][at] = replace(place, names=(*place.names, claim.pattern))
    return tuple(Origin(*_ORIGINS[kind], tuple(at[key] for key in sorted(at))) for kind, at in places.items() if at)


def _place_of(certificate: Certificate, claims: Iterable[HostClaim]) -> tuple[str, str]:
    if certificate.project:
        return certificate.project, f"/{certificate.project}"
    mine = {_environment(claim) for claim in claims if certificate.holds_for(claim.pattern)}
    if len(mine) == 1:
        return mine.pop()
    return ("several environments", "") if mine else ("no name that is routed", "")


def _domains(services: Services, environments: Iterable[Environment]) -> Iterator[HostClaim]:
    """Each one's own domain, which it may be shown a certificate for before any release routes it."""
    for one in environments:
        domain = one.full_domain(services.settings.target_domain)
        yield HostClaim(domain, one.project, one.name, one.id, services.now())


def _environment(claim: HostClaim) -> tuple[str, str]:
    return f"{claim.project} {claim.environment}", f"/{claim.project}/environments/{claim.environment}"


def _over_acme(services: Services) -> Callable[[str], bool]:
    return lambda host: signer_of(services.settings, host) is CertificateKind.ACME


def _number(text: str) -> int:
    """0, which there never is, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def removable(certificate: Certificate, project: str) -> bool:
    """By the form of the project's page, or, where none is named, of the installation's."""
    return certificate.kind is CertificateKind.UPLOADED and certificate.project == project


def ends(certificate: Certificate, now: datetime) -> str:
    """How it stands, where that needs saying."""
    left = certificate.not_after - now
    if left <= timedelta():
        return "has ended"
    return f"ends in {left.days} days" if left < _SOON else ""
