"""The root of the own authority, and certificates that people bring."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission
from cabestan.domain.certificate import CertificateKind
from cabestan.engine.names import certificates as engine
from cabestan.engine.names import uploads
from cabestan.engine.names.signers import own_domains
from cabestan.store import certificates as store
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.api import shapes

router = APIRouter()
public = APIRouter()
_OF_PROJECT = "/projects/{group}/{name}/certificates"


class Upload(BaseModel):
    """`chain`: the server's own certificate first, then those that signed it; both as PEM."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    chain: str = Field(max_length=100_000)
    key: str = Field(max_length=20_000, repr=False)


@public.get("/ca")
def authority(services: Wired) -> shapes.Json:
    """The root that browsers have to trust. It is no secret: each of them is shown it anyway."""
    return shapes.authority(engine.root(services), own_domains(services.settings))


@router.get("/certificates")
def certificates(visitor: SignedIn, services: Wired) -> shapes.Json:
    """Those brought for the whole installation, and those made here (administrators)."""
    require_admin(visitor.user)
    with services.database.reading() as tx:
        found = store.of_kind(tx, CertificateKind.UPLOADED, CertificateKind.OWN)
    return shapes.whole(found, shapes.certificate)


@router.post("/certificates", status_code=201)
def add(visitor: SignedIn, services: Wired, upload: Upload) -> shapes.Json:
    """For all names that it holds for, whoever's they are (administrators)."""
    require_admin(visitor.user)
    return shapes.certificate(uploads.add(services, None, upload.chain, upload.key, visitor.user.name))


@router.delete("/certificates/{certificate}", status_code=204)
def remove(visitor: SignedIn, services: Wired, certificate: int) -> Response:
    require_admin(visitor.user)
    uploads.remove(services, None, certificate)
    return Response(status_code=204)


@router.get(_OF_PROJECT)
def of_project(visitor: SignedIn, services: Wired, group: str, name: str) -> shapes.Json:
    """Those that hold for names of the project."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = uploads.in_use(services, tx, project)
    return shapes.whole(found, shapes.certificate)


@router.post(_OF_PROJECT, status_code=201)
def add_to_project(visitor: SignedIn, services: Wired, group: str, name: str, upload: Upload) -> shapes.Json:
    """For host names of the project alone."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    return shapes.certificate(uploads.add(services, project, upload.chain, upload.key, visitor.user.name))


@router.delete(_OF_PROJECT + "/{certificate}", status_code=204)
def remove_from_project(visitor: SignedIn, services: Wired, group: str, name: str, certificate: int) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    uploads.remove(services, project, certificate)
    return Response(status_code=204)
