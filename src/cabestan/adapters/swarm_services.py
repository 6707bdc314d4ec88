"""Making a service on the Swarm through the engine's API: the only place that does.

Texts arrive as they stand in the template, and what no process could be given is told before it is tried.
"""

from collections.abc import Mapping
from typing import Any

import requests
from docker import DockerClient
from docker.auth import encode_header
from docker.errors import create_api_error_from_http_exception

from cabestan.compose.braces import literal_task
from cabestan.compose.sizes import excess
from cabestan.errors import StepFailed


def create_service(
    client: DockerClient,
    name: str,
    template: Mapping[str, Any],
    specification: Mapping[str, Any],
    login: Mapping[str, str] | None = None,
) -> None:
    """`template` is the `TaskTemplate` of `POST /services/create`, `specification` the rest of its body.

    `login` is what the nodes are to pull the image with; the client's own call has no place for it.
    Raises StepFailed where it is too large.
    """
    container = template["ContainerSpec"]
    words = (*(container.get("Command") or ()), *(container.get("Args") or ()))
    pairs = (variable.partition("=") for variable in container.get("Env") or ())
    if wrong := excess({name: value for name, _, value in pairs}, words):
        raise StepFailed(f"{name} cannot be started: {wrong.message}", wrong.remedy)
    answer = client.api.post(
        f"{client.api.base_url}/v{client.api.api_version}/services/create",
        json={"Name": name, "TaskTemplate": literal_task(template), **specification},
        headers={"X-Registry-Auth": encode_header(login)} if login else {},
        timeout=client.api.timeout,
    )
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        raise create_api_error_from_http_exception(error) from error
