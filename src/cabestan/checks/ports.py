"""The ports of images that are not built yet, for routes whose service tells none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from cabestan.checks.subject import Subject
from cabestan.compose.findings import Report
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.nodes import Spot
from cabestan.compose.routing import check_routes
from cabestan.domain.pipeline import Blueprint, ImageBuild
from cabestan.pipeline.base_images import BaseImages
from cabestan.pipeline.ports import Ports, catalogue_ports, declared_ports
from cabestan.pipeline.stages import until_target

#: of an image, by the name that the Compose file has for it
PortsOf = Callable[[str], Ports]


def not_known(_image: str) -> Ports:
    return None


def with_ports(report: Report, compose: ComposeFile, ports: PortsOf) -> ComposeFile:
    """The file with what its images will declare. A warning where a route needs a port and the image will have none.

    It is no error: what is built decides.
    """
    images = dict.fromkeys(service.image for service in compose.services if _may_need_one(service))
    known = {image: found for image in images if (found := ports(image)) is not None}
    if not all(known.values()):
        strict = Report(compose.file)
        check_routes(strict, compose.with_ports(known))
        for one in strict.findings:
            if one.code == "route-port":
                report.warn(one.code, Spot(one.line, one.column, one.path, one.file), one.message, one.remedy)
    return compose.with_ports({image: found for image, found in known.items() if found})


def _may_need_one(service: Service) -> bool:
    return not service.expose and any(label.lower().startswith("traefik.") for label in service.labels)


def ports_of(subject: Subject, blueprint: Blueprint | None, texts: Mapping[str, str]) -> PortsOf:
    """What Dockerfiles tell: the subject's, whose texts are given, and those of the platform's own images."""
    return _Declared(subject, blueprint, texts).of_image


class _Declared:
    def __init__(self, subject: Subject, blueprint: Blueprint | None, texts: Mapping[str, str]) -> None:
        self._subject = subject
        self._texts = texts
        #: names of an image to what builds it, and to what its Dockerfile's bases stand for
        self._builds: dict[str, tuple[ImageBuild, dict[str, str]]] = {}
        for job in blueprint.builds if blueprint else ():
            name = f"{subject.registry}/{job.build.reference}"
            built = (job.build, {base.written: base.meant for base in job.bases})
            self._builds |= dict.fromkeys((name, *(f"{name}:{tag}" for tag in job.build.tags)), built)

    def of_image(self, image: str, dockerfile: str = "") -> Ports:
        """`dockerfile` is the text that names it, where one does."""
        if image not in self._builds:
            return catalogue_ports(self._catalogue, image, dockerfile)
        build, bases = self._builds[image]
        text = until_target(self._texts[build.dockerfile], build.target)
        return declared_ports(text, lambda written: self.of_image(bases.get(written, written), text))

    @cached_property
    def _catalogue(self) -> BaseImages:
        known = self._subject.base_images
        return known if known.references else self._subject.shipped()
