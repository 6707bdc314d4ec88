"""Taking an installation away: everything that it made, by its labels and names, and nothing else."""

import time
from collections.abc import Iterator
from typing import Any

from docker.errors import APIError, NotFound

from cabestan.adapters.engine_api import Engine
from cabestan.config import Settings
from cabestan.domain.labels import INSTANCE_LABEL

_TRIES = 60
#: how engines refuse to remove a network that tasks are still leaving; 400 is Swarm's own word
_STILL_IN_USE = (400, 403, 409, 500)


def purge(settings: Settings, engine: Engine, *, base_images: tuple[str, ...], swarm: bool) -> Iterator[str]:
    """Removes what this installation made: services, containers, networks, volumes, secrets, configs and images.

    `base_images` are those that it built itself; they stay where another installation has something here.
    `swarm`: it made the Swarm, which goes too unless somebody else's services are in it.
    """
    with engine.speaking("remove the installation") as client:
        label = {"label": f"{INSTANCE_LABEL}={settings.instance}"}
        yield _count("service", [_remove(client.api.remove_service, s["ID"]) for s in client.api.services(label)])
        _wait_for_tasks(client, label)
        containers = client.api.containers(all=True, filters=label)
        yield _count("container", [_remove(client.api.remove_container, c["Id"], force=True) for c in containers])
        yield _count("secret", [_remove(client.api.remove_secret, s["ID"]) for s in client.api.secrets(label)])
        yield _count("config", [_remove(client.api.remove_config, c["ID"]) for c in client.api.configs(label)])
        yield _count("network", [_remove_network(client, n.id) for n in client.networks.list(filters=label)])
        volumes = client.api.volumes(filters=label)["Volumes"] or []
        yield _count("volume", [_remove(client.api.remove_volume, v["Name"]) for v in volumes])
        names = _images(client, settings, base_images)
        yield _count("image", [_remove(client.api.remove_image, name) for name in names])
        if swarm and not client.api.services():
            client.swarm.leave(force=True)
            yield "the Swarm"


def _images(client: Any, settings: Settings, base_images: tuple[str, ...]) -> list[str]:
    """The names of what its pipelines built, and the base images where nobody else may need them.

    What is deployed was pulled by its digest, and has no tag.
    """
    kinds = ("RepoTags", "RepoDigests")
    found = [name for image in client.api.images() for kind in kinds for name in image[kind] or ()]
    built = [name for name in found if name.startswith(f"{settings.registry}/")]
    installed = client.api.containers(all=True, filters={"label": INSTANCE_LABEL})
    if any(container["Labels"][INSTANCE_LABEL] != settings.instance for container in installed):
        return built
    return built + [tag for tag in reversed(base_images) if tag in found]


def _count(kind: str, removed: list[bool]) -> str:
    number = sum(removed)
    return f"{number} {kind}{'' if number == 1 else 's'}"


def _remove(call: Any, key: str, **options: Any) -> bool:
    try:
        call(key, **options)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code != 409:  # in use: by something that is not ours, so it stays
            raise
        return False
    return True


def _wait_for_tasks(client: Any, label: dict[str, str]) -> None:
    """Containers of removed services go a moment later, and hold networks and volumes until then."""
    for _ in range(_TRIES):
        if not [c for c in client.api.containers(filters=label) if "com.docker.swarm.task" in c["Labels"]]:
            return
        time.sleep(0.5)


def _remove_network(client: Any, key: str) -> bool:
    for _ in range(_TRIES):
        try:
            client.api.remove_network(key)
        except NotFound:
            return False
        except APIError as error:
            if error.status_code not in _STILL_IN_USE:
                raise
            time.sleep(0.5)
        else:
            return True
    return False
