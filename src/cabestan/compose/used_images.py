"""Which images a Compose file uses, before anything else is known of it."""

from __future__ import annotations

from cabestan.compose.nodes import Scalar, Table, root_field
from cabestan.compose.source import Limits, read_yaml


def used_images(text: str, file: str) -> tuple[str, ...]:
    """The images of the services as they are written, with their variables; what is malformed is left out.

    Raises ComposeRefused for what is no YAML.
    """
    root = read_yaml(text, file, Limits())
    services = root_field(root).get("services") if isinstance(root, Table) else None
    images = [service.get("image") for _, service in (services.entries() if services else ())]
    found = [image.node.text for image in images if image is not None and isinstance(image.node, Scalar)]
    return tuple(dict.fromkeys(found))
