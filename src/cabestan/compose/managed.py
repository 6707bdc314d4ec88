"""Services of a Compose file that the platform serves itself: found by their names, and taken out of the stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cabestan.compose.findings import Report
from cabestan.compose.library import SourceFile
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.nodes import root_field
from cabestan.compose.profiles import deployed
from cabestan.compose.source import Limits, read_yaml
from cabestan.domain.managed import Kind

_KINDS = frozenset(Kind)


def managed_kinds(files: Iterable[SourceFile], *, limits: Limits | None = None) -> tuple[Kind, ...]:
    """The kinds that the files ask for, in their order. No variable is filled in. Raises ComposeRefused."""
    found = (name for file in files for name in _service_names(file, limits))
    return tuple(dict.fromkeys(Kind(name) for name in found if name in _KINDS))


def _service_names(file: SourceFile, limits: Limits | None) -> tuple[str, ...]:
    services = root_field(read_yaml(file.text, file.path, limits)).get("services")
    return tuple(name for name, _ in deployed(services))


def without_managed(compose: ComposeFile, kinds: Iterable[Kind]) -> ComposeFile:
    """The file less the services of these kinds, what depends on them, and the volumes that only they had."""
    taken = frozenset(kinds)
    kept = tuple(_independent(service, taken) for service in compose.services if service.name not in taken)
    used = {mount.source for service in kept for mount in service.mounts}
    once = {mount.source for service in compose.services if service.name in taken for mount in service.mounts}
    volumes = tuple(volume for volume in compose.volumes if volume.key in used or volume.key not in once)
    shared = dict.fromkeys(key for service in compose.services if service.name in taken for key in service.networks)
    return replace(compose, services=kept, volumes=volumes, managed_networks=tuple(shared))


def _independent(service: Service, taken: frozenset[Kind]) -> Service:
    """They answer before the stack is touched, so nobody has to wait for them."""
    needs = tuple(needed for needed in service.depends_on if needed.service not in taken)
    return service if needs == service.depends_on else replace(service, depends_on=needs)


def refuse_aliases(compose: ComposeFile, kinds: Iterable[Kind]) -> None:
    """Raises ComposeRefused where a link gives a managed service a further name, which nothing would lead to."""
    report, taken = Report(compose.file), frozenset(str(kind) for kind in kinds)
    for service in compose.services:
        for link in service.links:
            if link.service in taken and link.alias != link.service:
                message = f"{link.service} is served by the platform, under this name alone."
                report.error("link-alias", link.spot, message, f"Link {link.service}, and use it as the host.")
    report.refuse_if_wrong()


def refuse_without_image(compose: ComposeFile, kind: Kind, setting: str) -> None:
    """Raises ComposeRefused at the service's line, for a kind whose image nobody has set."""
    service = compose.service(kind)
    if service is None:
        return
    report = Report(compose.file)
    message = f"{kind.product} is not in Debian, and this installation has no image for it."
    remedy = (
        f"An administrator sets {setting} to an image; until then, use another database, "
        f"or run your own: `cabestan database settings --managed no`."
    )
    report.error("managed-image", service.spot, message, remedy)
    report.refuse_if_wrong()
