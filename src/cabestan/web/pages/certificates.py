"""The certificates of a project, and, for administrators, those of the installation."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.engine.names import hosts, uploads
from cabestan.store import certificates as store
from cabestan.web.access import SignedIn, Wired, require_admin
from cabestan.web.pages.answers import Configuring, Reading, Text, html, see
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
Chain = Annotated[str, Form(max_length=100_000)]
Key = Annotated[str, Form(max_length=20_000)]
_PLACE = "/certificates"
_AT = "/{group}/{name}/settings/certificates"
_SOURCES = {CertificateKind.OWN: "own authority", CertificateKind.UPLOADED: "brought", CertificateKind.ACME: "ACME"}
_SOON = timedelta(days=30)


@router.get(_PLACE)
def of_installation(visitor: SignedIn, services: Wired) -> Response:
    require_admin(visitor.user)
    with services.database.reading() as tx:
        found = store.of_kind(tx, CertificateKind.UPLOADED, CertificateKind.OWN)
    return html(
        "certificates.html",
        plain_frame(visitor, "Certificates", "project:*", href=_PLACE),
        place=_PLACE,
        rows=found,
        names=(),
        may_configure=True,
        project="",
        now=services.now(),
        sources=_SOURCES,
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
    return at.html(
        "certificates.html",
        "Certificates",
        place=f"/{at.project.name}/settings/certificates",
        rows=found,
        names=names,
        may_configure=at.rights.configure,
        sources=_SOURCES,
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
