"""Making a service on the Swarm through the engine's API: the only place that does.

Texts arrive as they stand in the template, and what no process could be given is told before it is tried.
"""

from collections.abc import Mapping
from typing import Any

from docker import DockerClient

from cabestan.compose.braces import literal_task
from cabestan.compose.sizes import excess
from cabestan.errors import StepFailed


def create_service(client: DockerClient, name: str, template: Mapping[str, Any], **specification: Any) -> None:
    """`template` is the `TaskTemplate` of `POST /services/create`. Raises StepFailed where it is too large."""
    container = template["ContainerSpec"]
    words = (*(container.get("Command") or ()), *(container.get("Args") or ()))
    pairs = (variable.partition("=") for variable in container.get("Env") or ())
    if wrong := excess({name: value for name, _, value in pairs}, words):
        raise StepFailed(f"{name} cannot be started: {wrong.message}", wrong.remedy)
    client.api.create_service(literal_task(template), name=name, **specification)
