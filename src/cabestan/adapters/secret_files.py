"""Secrets that services get as files: Swarm's own, which cannot be changed, so that each content has a name."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound

SECRET_LABEL = "cabestan.secret"  # noqa: S105 (the name of a label)
#: Swarm takes no longer name
_LONGEST_NAME = 64
_HASH_DIGITS = 12
#: how engines refuse to remove a secret that a service uses
_IN_USE = (400, 409)


@dataclass(frozen=True)
class SwarmSecret:
    """`name` is Swarm's, `secret` the environment's."""

    name: str
    secret: str
    value: str = field(repr=False)


def secret_name(stack: str, secret: str, content_hash: str) -> str:
    """`<stack>_<secret>_<first digits of the hash>`; the hash tells long names apart that are cut alike."""
    ending = f"_{content_hash[:_HASH_DIGITS]}"
    return f"{stack}_{secret}"[: _LONGEST_NAME - len(ending)] + ending


def ensure_secrets(client: DockerClient, labels: Mapping[str, str], secrets: Iterable[SwarmSecret]) -> None:
    """Makes those that are missing. What another made under such a name is not used: the engine refuses the name."""
    there = {found["Spec"]["Name"] for found in _present(client, labels)}
    for secret in secrets:
        if secret.name not in there:
            own = {**labels, SECRET_LABEL: secret.secret}
            client.api.create_secret(secret.name, secret.value.encode(), labels=own)


def drop_secrets(client: DockerClient, labels: Mapping[str, str], kept: Collection[str] = ()) -> tuple[str, ...]:
    """Removes those with the labels that are not kept and that no service uses; gives their names."""
    superfluous = [found for found in _present(client, labels) if found["Spec"]["Name"] not in kept]
    return tuple(str(found["Spec"]["Name"]) for found in superfluous if _removed(client, found["ID"]))


def _present(client: DockerClient, labels: Mapping[str, str]) -> list[Mapping[str, Any]]:
    wanted = [f"{name}={value}" for name, value in labels.items()]
    found: list[Mapping[str, Any]] = client.api.secrets(filters={"label": [*wanted, SECRET_LABEL]})
    return found


def _removed(client: DockerClient, key: str) -> bool:
    try:
        client.api.remove_secret(key)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code not in _IN_USE or "in use" not in str(error.explanation):
            raise
        return False
    return True
