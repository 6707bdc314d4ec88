"""Faults of the engine that pass: what it could not start then, it can a moment later."""

from collections.abc import Mapping
from typing import Any

import structlog
from docker import DockerClient
from docker.errors import APIError

_log = structlog.get_logger(__name__)
#: Making the folder of a container's secrets read-only is refused by the kernel now and then, on some machines once
#: in a hundred starts (https://github.com/moby/moby/issues/48783). And Swarm gives a task out before its node has an
#: address in the task's network, where another network goes at that moment.
_PASSING = ("device or resource busy", "failed to find a load balancer IP")
#: how often a container of something that runs once is started again
_MOST_RESTARTS = 5
#: Swarm's answer to a change of a service that was read before another change of it, also one of Swarm's own
CHANGED_MEANWHILE = "update out of sequence"


def passes(words: str) -> bool:
    """Whether Swarm's words on a task that did not start tell of one."""
    return any(fault in words for fault in _PASSING)


def restarts(template: Mapping[str, Any]) -> int:
    """How often something has been started again, by its `TaskTemplate`: Swarm keeps it, so no kill loses it."""
    return int(template.get("ForceUpdate") or 0)


def start_again(client: DockerClient, service: Mapping[str, Any], words: str) -> bool:
    """Has Swarm start once more what runs once, and did not start; False where that is given up."""
    template = service["Spec"]["TaskTemplate"]
    count = restarts(template) + 1
    if not passes(words) or count > _MOST_RESTARTS:
        return False
    _log.warning("a container could not be started, and is once more", service=service["Spec"]["Name"], words=words)
    hand_over(client, service, {**template, "ForceUpdate": count})
    return True


def hand_over(client: DockerClient, service: Mapping[str, Any], template: Mapping[str, Any]) -> None:
    """Gives a service to Swarm as it is, but for its `TaskTemplate`.

    Nothing where Swarm has changed it since it was looked at: who sees that it is needed looks again.
    """
    spec = service["Spec"]
    try:
        client.api.update_service(
            service["ID"],
            service["Version"]["Index"],
            task_template=template,
            name=spec["Name"],
            labels=spec.get("Labels"),
            mode=spec["Mode"],
            update_config=spec.get("UpdateConfig"),
            rollback_config=spec.get("RollbackConfig"),
            endpoint_spec=spec.get("EndpointSpec"),
        )
    except APIError as error:
        if CHANGED_MEANWHILE not in str(error.explanation):
            raise
