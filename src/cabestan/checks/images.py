"""Whether an image may be released: told by its Dockerfile before it is built, and by its configuration after."""

from __future__ import annotations

import re

from cabestan.compose.findings import Report, Waivers
from cabestan.compose.model import Service
from cabestan.compose.nodes import Spot
from cabestan.domain.finding import Finding
from cabestan.domain.image import ImageConfiguration, is_root
from cabestan.pipeline.instructions import Instruction, instructions, of_the_image

_USER_REMEDY = "End the Dockerfile with USER 1001 before CMD."
#: nobody expects to find again what is there
_TEMPORARY = re.compile(r"""\[?\s*["']?/(?:var/)?tmp/?["']?\s*\]?""")
_VOLUME_REMEDY = "Remove it, and mount ./data:/path in the Compose file."


def check_dockerfile(file: str, text: str, waivers: Waivers) -> tuple[Finding, ...]:
    """What is certain from the text alone: root as the last user, volumes. The base may still bring either."""
    report = Report(file, waivers)
    user = _last(text, "USER")
    if user and "$" not in user.rest and is_root(user.rest):
        report.error("image-root", _spot(user), f"The image runs as {user.rest}.", _USER_REMEDY)
    for instruction in of_the_image(text):
        if instruction.word == "VOLUME" and not _TEMPORARY.fullmatch(instruction.rest):
            message = f"The image declares the volume {instruction.rest}."
            report.error("image-volume", _spot(instruction), message, _VOLUME_REMEDY)
    return report.findings


def check_image(
    file: str, text: str, name: str, configuration: ImageConfiguration, waivers: Waivers
) -> tuple[Finding, ...]:
    """What the built image says of itself, at the line that made it so, or that took it over from the base."""
    report = Report(file, waivers)
    if is_root(configuration.user):
        spot = _spot(_last(text, "USER") or _last(text, "FROM"))
        report.error("image-root", spot, f"The image {name} {_as_root(configuration)}.", _USER_REMEDY)
    if lasting := [volume for volume in configuration.volumes if not _TEMPORARY.fullmatch(volume)]:
        listed = ", ".join(lasting)
        spot = _spot(_last(text, "VOLUME") or _last(text, "FROM"))
        report.error("image-volume", spot, f"The image {name} declares the volume {listed}.", _VOLUME_REMEDY)
    return report.findings


def check_foreign_image(
    file: str, service: Service, configuration: ImageConfiguration, waivers: Waivers
) -> tuple[Finding, ...]:
    """Of an image that the pipeline did not build, as the service runs it: with its user and its mounts."""
    report = Report(file, waivers)
    if is_root(service.user or configuration.user):
        remedy = "Set user: to another one in the service, or build an image on it that ends with USER 1001."
        message = f"The image {service.image} {_as_root(configuration)}."
        report.error("image-root", service.place("image"), message, remedy)
    mounted = {mount.target.rstrip("/") for mount in service.mounts}
    lasting = [volume for volume in configuration.volumes if not _TEMPORARY.fullmatch(volume)]
    if bare := [volume for volume in lasting if volume.rstrip("/") not in mounted]:
        message = f"The image {service.image} declares the volume {', '.join(bare)}."
        remedy = "Mount something there, such as ./data:/path, or build an image of your own."
        report.error("image-volume", service.place("image"), message, remedy)
    return report.findings


def _as_root(configuration: ImageConfiguration) -> str:
    return f"runs as {configuration.user}" if configuration.user else "names no user, so it runs as root"


def _last(text: str, word: str) -> Instruction | None:
    found = [instruction for instruction in of_the_image(text) if instruction.word == word]
    return found[-1] if found else next((i for i in reversed(instructions(text)) if i.word == word), None)


def _spot(instruction: Instruction | None) -> Spot:
    return Spot(instruction.line if instruction else 1, 1, "")
