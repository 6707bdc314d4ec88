"""Secrets that services get as files: Swarm's own, which cannot be changed, so that each content has a name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from docker import DockerClient

from cabestan.adapters.swarm_files import Found, drop, filters, names
from cabestan.domain.labels import SECRET_LABEL

#: Swarm takes no longer name
_LONGEST_NAME = 64
_HASH_DIGITS = 12


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
    there = names(_present(client, labels))
    for secret in secrets:
        if secret.name not in there:
            own = {**labels, SECRET_LABEL: secret.secret}
            client.api.create_secret(secret.name, secret.value.encode(), labels=own)


def drop_secrets(client: DockerClient, labels: Mapping[str, str], kept: Collection[str] = ()) -> tuple[str, ...]:
    """Removes those with the labels that are not kept and that no service uses; gives their names."""
    return drop(_present(client, labels), kept, client.api.remove_secret)


def _present(client: DockerClient, labels: Mapping[str, str]) -> Sequence[Found]:
    found: Sequence[Found] = client.api.secrets(filters=filters(labels, SECRET_LABEL))
    return found
