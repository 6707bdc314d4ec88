"""Files of the commit that services get: Swarm's configs, which cannot be changed, so that each content has a name."""

from collections.abc import Collection, Mapping, Sequence

from docker import DockerClient

from cabestan.adapters.swarm_files import Found, drop, filters, names
from cabestan.domain.labels import CONFIG_LABEL


def ensure_configs(client: DockerClient, labels: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Makes those that are missing. What another made under such a name is not used: the engine refuses the name."""
    there = names(_present(client, labels))
    for name, text in texts.items():
        if name not in there:
            client.api.create_config(name, text.encode(errors="replace"), labels={**labels, CONFIG_LABEL: ""})


def drop_configs(client: DockerClient, labels: Mapping[str, str], kept: Collection[str] = ()) -> tuple[str, ...]:
    """Removes those with the labels that are not kept and that no service uses; gives their names."""
    return drop(_present(client, labels), kept, client.api.remove_config)


def _present(client: DockerClient, labels: Mapping[str, str]) -> Sequence[Found]:
    found: Sequence[Found] = client.api.configs(filters=filters(labels, CONFIG_LABEL))
    return found
