"""Which images a Compose file uses, before anything else is known of it."""

from __future__ import annotations

from cabestan.compose.nodes import Scalar, root_field, services_of
from cabestan.compose.source import Limits, read_yaml


def used_images(text: str, file: str) -> tuple[str, ...]:
    """The images of the services as they are written, with their variables; what is malformed is left out.

    Raises ComposeRefused for what is no YAML.
    """
    services = services_of(root_field(read_yaml(text, file, Limits())))
    images = [image for _, service in services if (image := service.get("image")) is not None]
    return tuple(dict.fromkeys(image.text for image in images if isinstance(image.node, Scalar)))
