"""The stack of one managed service: a plain file for `docker stack deploy`, like an application's."""

from __future__ import annotations

from typing import Any

from cabestan.compose.stack import EXTENSION, Stack, extension
from cabestan.domain.labels import ENVIRONMENT_LABEL, INSTANCE_LABEL, MANAGED_ID_LABEL, MANAGED_LABEL, PROJECT_LABEL
from cabestan.domain.managed import Instance, Kind

DATA = "/data"
PASSWORD_FILE = "/run/secrets/password"  # noqa: S105 (a path)
#: the account that the images run as
_ACCOUNT = "1001"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (of the container)


def environment_of(instance: Instance) -> dict[str, str]:
    """What the image's script reads."""
    return {
        "DATABASE_MEMORY": str(instance.limits.memory),
        "DATABASE_NAME": instance.database,
        "DATABASE_USER": instance.user,
    }


def secret_name(instance: Instance) -> str:
    """Of the Swarm secret with its password, which never changes."""
    return f"{instance.stack}-{instance.id}"


def labels_of(instance: Instance, owner: str) -> dict[str, str]:
    """`owner` is the name of the installation."""
    return {
        INSTANCE_LABEL: owner,
        PROJECT_LABEL: instance.project,
        ENVIRONMENT_LABEL: instance.environment,
        MANAGED_LABEL: str(instance.kind),
        MANAGED_ID_LABEL: str(instance.id),
    }


def render_instance(instance: Instance, owner: str, *, replicas: int = 1) -> str:
    """The file. One replica, stopped before the next one starts, on the node that has the volume."""
    document = {
        "version": "3.8",
        "services": {instance.service: _service(instance, owner, replicas)},
        "networks": {"default": {"external": True, "name": instance.network}},
        "volumes": {"data": {"name": instance.volume, "labels": labels_of(instance, owner)}},
        "secrets": {"password": {"external": True, "name": secret_name(instance)}},
        EXTENSION: extension((), {instance.service: instance.image}, {}, {}),
    }
    return Stack(document).to_yaml()


def _service(instance: Instance, owner: str, replicas: int) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [{"type": "volume", "source": "data", "target": DATA}]
    if instance.kind is Kind.POSTGRESQL:  # parallel queries share memory there; the engine's default is 64 MB
        size = instance.limits.memory * 2**20 // 4
        volumes.append({"type": "tmpfs", "target": _SHARED_MEMORY, "tmpfs": {"size": size}})
    return {
        "image": instance.image,
        "init": True,
        "environment": environment_of(instance),
        "volumes": volumes,
        "networks": {"default": {"aliases": [str(instance.kind)] if instance.attached else []}},
        "secrets": [{"source": "password", "target": "password", "uid": _ACCOUNT, "gid": _ACCOUNT, "mode": 0o400}],
        "healthcheck": {
            "test": ["CMD", "database", "ready"],
            "interval": "3s",
            "timeout": "20s",
            "retries": 10,
            "start_period": "10m",
        },
        "stop_grace_period": "1m30s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "labels": labels_of(instance, owner),
        "deploy": _deploy(instance, owner, replicas),
    }


def _deploy(instance: Instance, owner: str, replicas: int) -> dict[str, Any]:
    return {
        "mode": "replicated",
        "replicas": replicas,
        "endpoint_mode": "dnsrr",
        "labels": labels_of(instance, owner),
        "resources": {"limits": {"cpus": instance.limits.cpus, "memory": f"{instance.limits.memory}M"}},
        "placement": {"constraints": [f"node.hostname == {instance.node}"]},
        "restart_policy": {"condition": "any", "delay": "2s"},
        "update_config": {"parallelism": 1, "order": "stop-first", "failure_action": "pause", "monitor": "2s"},
    }
