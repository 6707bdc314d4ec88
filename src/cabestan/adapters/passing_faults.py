"""Faults of the engine that pass: what it could not start then, it can a moment later.

A few are known by their words. An engine that died as it made a container leaves any words ("already exists", "node is
missing network attachments", …): that one is known by when the engine came up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from docker import DockerClient
from docker.errors import APIError, NotFound

_log = structlog.get_logger(__name__)
#: Making the folder of a container's secrets read-only is refused by the kernel now and then, on some machines once
#: in a hundred starts (https://github.com/moby/moby/issues/48783). And Swarm gives a task out before its node has an
#: address in the task's network, where another network goes at that moment.
_PASSING = ("device or resource busy", "failed to find a load balancer IP")
_DEFAULT_NETWORK = "bridge"
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


@dataclass(frozen=True)
class EngineStart:
    """Since when an engine has been there, by the id of its node; None where that cannot be told."""

    node: str
    since: datetime | None

    def left(self, task: Mapping[str, Any]) -> bool:
        """Whether it went away since a task of its node was made."""
        mine = bool(self.node) and self.node == task.get("NodeID")
        return mine and self.since is not None and self.since > datetime.fromisoformat(task["CreatedAt"])


def engine_start(client: DockerClient) -> EngineStart:
    """An engine makes its default network anew whenever it starts, unless containers outlived it, as Swarm forbids."""
    node = str(client.api.info()["Swarm"]["NodeID"])
    try:
        return EngineStart(node, datetime.fromisoformat(client.api.inspect_network(_DEFAULT_NETWORK)["Created"]))
    except NotFound:
        return EngineStart(node, None)


def begins_again(words: str, count: int, *, left: bool) -> bool:
    """Whether what did not start, and was started again so often, is once more. `left`: its engine went away."""
    return count < _MOST_RESTARTS and (left or passes(words))


def start_again(client: DockerClient, service: Mapping[str, Any], words: str, *, left: bool) -> bool:
    """Has Swarm start once more what runs once, and did not start; False where that is given up."""
    template = service["Spec"]["TaskTemplate"]
    count = restarts(template) + 1
    if not begins_again(words, count - 1, left=left):
        return False
    _log.warning("a container could not be started, and is once more", service=service["Spec"]["Name"], words=words)
    hand_over(client, service, {**template, "ForceUpdate": count})
    return True


def hand_over(
    client: DockerClient,
    service: Mapping[str, Any],
    template: Mapping[str, Any],
    mode: Mapping[str, Any] | None = None,
) -> bool:
    """Gives a service to Swarm as it is, but for its `TaskTemplate`, and its `Mode` where there is one.

    False where Swarm has changed it since it was looked at: who sees that it is needed looks again.
    """
    spec = service["Spec"]
    try:
        client.api.update_service(
            service["ID"],
            service["Version"]["Index"],
            task_template=template,
            name=spec["Name"],
            labels=spec.get("Labels"),
            mode=mode or spec["Mode"],
            update_config=spec.get("UpdateConfig"),
            rollback_config=spec.get("RollbackConfig"),
            endpoint_spec=spec.get("EndpointSpec"),
        )
    except APIError as error:
        if CHANGED_MEANWHILE not in str(error.explanation):
            raise
        return False
    return True
