"""Files of the commit that services get: Swarm's configs, which cannot be changed, so that each content has a name."""

from collections.abc import Collection, Mapping
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound

CONFIG_LABEL = "cabestan.config"
#: how engines refuse to remove one that a service uses
_IN_USE = (400, 409)


def ensure_configs(client: DockerClient, labels: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Makes those that are missing. What another made under such a name is not used: the engine refuses the name."""
    there = {found["Spec"]["Name"] for found in _present(client, labels)}
    for name, text in texts.items():
        if name not in there:
            client.api.create_config(name, text.encode(errors="replace"), labels={**labels, CONFIG_LABEL: ""})


def drop_configs(client: DockerClient, labels: Mapping[str, str], kept: Collection[str] = ()) -> tuple[str, ...]:
    """Removes those with the labels that are not kept and that no service uses; gives their names."""
    superfluous = [found for found in _present(client, labels) if found["Spec"]["Name"] not in kept]
    return tuple(str(found["Spec"]["Name"]) for found in superfluous if _removed(client, found["ID"]))


def _present(client: DockerClient, labels: Mapping[str, str]) -> list[Mapping[str, Any]]:
    wanted = [f"{name}={value}" for name, value in labels.items()]
    found: list[Mapping[str, Any]] = client.api.configs(filters={"label": [*wanted, CONFIG_LABEL]})
    return found


def _removed(client: DockerClient, key: str) -> bool:
    try:
        client.api.remove_config(key)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code not in _IN_USE or "in use" not in str(error.explanation):
            raise
        return False
    return True
