"""Checks the Compose file as one place has it: read, and rendered as far as it can be before anything is built."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cabestan.checks.composed import Composed, Files, composed
from cabestan.checks.managed import managed_names
from cabestan.checks.ports import PortsOf, not_known, with_ports
from cabestan.checks.subject import Place, Subject
from cabestan.compose.asked import Asked, without
from cabestan.compose.findings import ComposeRefused, Report, Waivers
from cabestan.compose.library import needed_files
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.placeholder import for_stack_file
from cabestan.compose.render import StackContext, render
from cabestan.compose.stack import Stack
from cabestan.domain import docker_names, predefined
from cabestan.domain.finding import Finding
from cabestan.domain.image import in_registry, repository_of
from cabestan.domain.predefined import names_for
from cabestan.domain.tree import LinkRefused

#: stands for digests that only a build or a registry can tell
NO_DIGEST = f"not-built-yet@sha256:{'0' * 64}"


@dataclass(frozen=True, slots=True)
class Read:
    """`compose` is nothing where the file is refused; `place` has the variables of managed services too.

    `asked` is what the place must have, for neither the file nor the platform says it.
    """

    findings: tuple[Finding, ...]
    compose: ComposeFile | None
    place: Place
    asked: tuple[Asked, ...] = ()


def read(
    subject: Subject, place: Place, waivers: Waivers, built: Collection[str] | None, ports: PortsOf = not_known
) -> Read:
    """`built` are the images that will be built, as the file may name them; None where that is not known.

    `ports` are the TCP ports that an image will declare, by the name that the file has for it.
    """
    files = place.compose or next(iter(subject.sets), ())
    missing = [file for file in files if not subject.tree.has(file)]
    if missing or not files:
        return Read(tuple(_missing(file, place) for file in missing), None, place)
    try:
        sources = subject.sources(files)
        kept = needed_files(files, subject.further)  # all that a release will have
        made = composed(place, subject.project, Files(sources, kept.get, lambda: subject.tree), waivers)
    except ComposeRefused as refused:
        return Read(refused.findings, None, place)
    except LinkRefused as error:
        return Read((link_refused(error),), None, place)
    place = made.place
    report = Report(files[0], waivers)
    _check_managed(report, made)
    compose = with_ports(report, made.compose, ports)
    _check_images(report, compose, subject, built)
    _check_secrets(report, compose, place)
    asked = without(
        made.asked, names_for(predefined.Place.DEPLOYMENT), place.known, managed_names(made.kinds, subject.project)
    )
    _check_required(report, asked, place)
    found = (*made.warnings, *made.hidden, *report.findings, *_rendered(compose, place, subject.project))
    return Read(found, compose, place, asked)


def link_refused(error: LinkRefused) -> Finding:
    return Finding("link-refused", "error", error.link, 1, 1, "", error.message, error.remedy)


def _check_required(report: Report, asked: Iterable[Asked], place: Place) -> None:
    """A warning where a stand-in has let pass what the platform will refuse without a value."""
    for one in asked:
        if one.required and one.name in place.stand_ins:
            message = f"{place.name} must have {one.name}" + (f": {one.words}." if one.words else ".")
            remedy = f"Set it there: cabestan variable set -e {place.name} {one.name}=VALUE, or cabestan secret set."
            report.warn("variable-required", one.spot, message, remedy)


def _missing(file: str, place: Place) -> Finding:
    message = f"The commit has no Compose file {file}, from which {place.name} is deployed."
    remedy = "Commit the file, or choose another with `cabestan environment set --compose-file`."
    return Finding("compose-missing", "error", file, 1, 1, "", message, remedy)


def preview(compose: ComposeFile, place: Place, project: str) -> Stack:
    """The stack as it would be deployed, but for the digests: each image stands there as the file names it.

    Raises ComposeRefused where file and place do not fit.
    """
    stack = render(compose, _context(compose, place, project))
    document = {**stack.document, "services": {**stack.document["services"]}}
    for name, image in stack.images.items():
        if name in document["services"]:
            document["services"][name] = {**document["services"][name], "image": for_stack_file(image)}
    return Stack(document)


def _context(compose: ComposeFile, place: Place, project: str) -> StackContext:
    return StackContext(
        stack=place.stack,
        network=docker_names.network(place.stack),
        instance=place.instance,
        project=project,
        environment=place.name,
        release=0,
        images={service.image: NO_DIGEST for service in compose.services},
        secrets=place.secrets or frozenset(),
        secret_files={name: f"{place.stack}-{name}" for name in compose.secret_files},
    )


def _rendered(compose: ComposeFile, place: Place, project: str) -> tuple[Finding, ...]:
    try:
        preview(compose, place, project)
    except ComposeRefused as refused:
        return refused.findings
    return ()


def _check_images(report: Report, compose: ComposeFile, subject: Subject, built: Collection[str] | None) -> None:
    """An image of our own registry must be one that this very pipeline builds."""
    for service in compose.services:
        ours = in_registry(service.image, subject.registry)
        if built is not None and ours and service.image not in built:
            message = f"The pipeline of this commit does not build the image {service.image}."
            report.error("image-unknown", service.place("image"), message, _missing_build(service, subject))


def _missing_build(service: Service, subject: Subject) -> str:
    """What lacks is the Dockerfile, or, where one stands in a likely folder, only the line that has it built."""
    name = repository_of(service.image).removeprefix(subject.registry_image).strip("/")
    for folder in filter(None, (name, service.name)):
        if f"{folder}/Dockerfile" in subject.files:
            return f"Add build: ./{folder} to the service {service.name}: {folder}/Dockerfile is there."
    if "Dockerfile" in subject.files:
        return f"Add build: . to the service {service.name}, or name an image that is built."
    return "Add its Dockerfile, or name an image that is built: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}."


def _check_secrets(report: Report, compose: ComposeFile, place: Place) -> None:
    """A warning: they may still be set before anything is deployed there."""
    for service in compose.services if place.secrets is not None else ():
        for file in service.secrets:
            if file.secret not in (place.secrets or ()):
                message = f"{place.name} has no secret {file.secret} yet."
                report.warn("secret-unknown", file.spot, message, f"Set {file.secret} there before it is deployed.")


def _check_managed(report: Report, made: Composed) -> None:
    """What the file says of services that the platform serves itself, and that holds for nobody."""
    for service in made.whole.services:
        for name in service.names if service.name in made.kinds else ():
            message = f"{service.name} is served by the platform under this name alone: {name.alias} leads nowhere."
            report.warn("container-name", name.spot, message, f"Use {service.name} as the host.")
    for network in made.compose.networks:
        if network.internal and network.key in made.compose.managed_networks:
            message = f"A service of the platform is in {network.key}, which so leads outside as others do."
            report.warn("own-networks", network.spot, message, "Keep what must not lead outside in another network.")
