"""The certificates of a project, and, for administrators, those of the installation."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission
from cabestan.domain.certificate import CertificateKind
from cabestan.engine.names import hosts, uploads
from cabestan.store import certificates as store
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.views.certificates import CertificatesPage, certificate_rows
from cabestan.web.pages.views.frame import plain_frame, project_frame

router = APIRouter()
Chain = Annotated[str, Form(max_length=100_000)]
Key = Annotated[str, Form(max_length=20_000)]
_PLACE = "/certificates"
_AT = "/{group}/{name}/settings/certificates"


@router.get(_PLACE)
def of_installation(visitor: SignedIn, services: Wired) -> Response:
    require_admin(visitor.user)
    with services.database.reading() as tx:
        found = store.of_kind(tx, CertificateKind.UPLOADED, CertificateKind.OWN)
    page = CertificatesPage(_PLACE, certificate_rows(found, "", services.now()), (), may_configure=True)
    return html(
        "certificates.html", plain_frame(framed(visitor), "Certificates", "project:*", href="/certificates"), page=page
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
def of_project(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        rows = certificate_rows(uploads.in_use(services, tx, project), project.name, services.now())
        names = hosts.names_of(services, tx, project)
    place = f"/{project.name}/settings/certificates"
    page = CertificatesPage(place, rows, names, can(visitor.user, Permission.CONFIGURE, project.name))
    return html("certificates.html", project_frame(framed(visitor), project.name, "Certificates"), page=page)


@router.post(_AT)
def add_to_project(visitor: SignedIn, services: Wired, group: str, name: str, chain: Chain, key: Key) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    uploads.add(services, project, chain, key, visitor.user.name)
    return see(f"/{project.name}/settings/certificates")


@router.post(_AT + "/remove")
def remove_from_project(visitor: SignedIn, services: Wired, group: str, name: str, certificate: Text) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    uploads.remove(services, project, _number(certificate))
    return see(f"/{project.name}/settings/certificates")


def _number(text: str) -> int:
    """0, which there never is, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
