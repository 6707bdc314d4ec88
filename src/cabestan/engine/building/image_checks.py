"""Whether the images that a pipeline built may be released, by what they say of themselves in the registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cabestan.checks.check import used_builds
from cabestan.checks.images import check_foreign_image, check_image
from cabestan.compose.findings import Waivers
from cabestan.compose.model import ComposeFile
from cabestan.domain.finding import Finding, ImageRefused, has_error, in_order
from cabestan.domain.image import ImageConfiguration, common_ports
from cabestan.domain.pipeline import ImageBuild, Pipeline
from cabestan.engine.services import Services
from cabestan.pipeline.stages import until_target


@dataclass(frozen=True)
class Checked:
    """`unfit` images are run by no service, so they only stay out of the release; `notes` say so.

    `ports` are the TCP ports that each image declares, lowest first.
    """

    unfit: tuple[ImageBuild, ...]
    notes: tuple[str, ...]
    ports: Mapping[ImageBuild, tuple[int, ...]]


def check_images(
    services: Services,
    pipeline: Pipeline,
    digests: Mapping[ImageBuild, str],
    composed: Iterable[ComposeFile],
    waivers: Waivers,
) -> Checked:
    """Raises ImageRefused, with Dockerfile and line, for an image that a service runs and that may not be run."""
    told = {build: services.registry.configurations(build.reference, digest) for build, digest in digests.items()}
    found = {build: _check(services, pipeline, build, told[build], waivers) for build in digests}
    run = used_builds(digests, services.settings.registry, composed)
    wrong = [finding for build in run for finding in found[build]]
    if has_error(wrong):
        raise ImageRefused(in_order(finding for finding in wrong if finding.severity == "error"))
    unfit = tuple(build for build in digests if build not in run and has_error(found[build]))
    notes = [str(finding) for finding in in_order(wrong)]
    notes += [f"{found[build][0].message} No service runs it, so it is not part of the release." for build in unfit]
    return Checked(unfit, tuple(notes), {build: common_ports(told[build]) for build in digests})


def check_foreign_images(
    told: Mapping[str, ImageConfiguration], composed: Iterable[ComposeFile], waivers: Waivers
) -> tuple[str, ...]:
    """Of images that others built, by the names that the Compose file has for them; gives notes for the pipeline.

    Raises ImageRefused, with the line of the Compose file, for one that may not be run.
    """
    found = [
        finding
        for compose in composed
        for service in compose.services
        if service.image in told
        for finding in check_foreign_image(compose.file, service, told[service.image], waivers)
    ]
    if has_error(found):
        raise ImageRefused(in_order(finding for finding in found if finding.severity == "error"))
    return tuple(str(finding) for finding in in_order(found))


def _check(
    services: Services,
    pipeline: Pipeline,
    build: ImageBuild,
    configurations: Iterable[ImageConfiguration],
    waivers: Waivers,
) -> tuple[Finding, ...]:
    whole = services.repositories.read(pipeline.project_id, pipeline.commit, build.dockerfile)
    text = until_target(whole, build.target)
    return in_order(
        finding
        for configuration in configurations
        for finding in check_image(build.dockerfile, text, build.reference, configuration, waivers)
    )
