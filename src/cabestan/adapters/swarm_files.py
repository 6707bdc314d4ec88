"""What secrets and configs of Swarm have in common: services get them as files, and they cannot be changed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from docker.errors import APIError, NotFound

#: how engines refuse to remove one that a service uses
_IN_USE = (400, 409)

#: as the engine's API tells of it
Found = Mapping[str, Any]


def filters(labels: Mapping[str, str], kind: str) -> dict[str, list[str]]:
    """Those with all the labels, and with that of their kind, whatever that says."""
    return {"label": [*(f"{name}={value}" for name, value in labels.items()), kind]}


def names(there: Sequence[Found]) -> frozenset[str]:
    return frozenset(str(found["Spec"]["Name"]) for found in there)


def drop(there: Sequence[Found], kept: Collection[str], remove: Callable[[str], object]) -> tuple[str, ...]:
    """Removes by their ids those that are not kept and that no service uses; gives their names."""
    superfluous = [found for found in there if found["Spec"]["Name"] not in kept]
    return tuple(str(found["Spec"]["Name"]) for found in superfluous if _removed(found["ID"], remove))


def _removed(key: str, remove: Callable[[str], object]) -> bool:
    try:
        remove(key)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code not in _IN_USE or "in use" not in str(error.explanation):
            raise
        return False
    return True
