"""What a built image says of itself, and whether a project may run it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

#: as the engine reads a number: with a sign and any zeros before it
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class ImageConfiguration:
    """`user` is what the image's processes run as, empty where its Dockerfiles say nothing, which means root."""

    user: str
    volumes: tuple[str, ...] = ()
    #: the TCP ports that it declares, lowest first
    ports: tuple[int, ...] = ()


def familiar_name(reference: str) -> str:
    """As the engine lists it: `docker.io/library/debian` is `debian:latest`; with a digest, a tag does not count."""
    name, at, digest = reference.partition("@")
    for prefix in ("index.docker.io/", "docker.io/", "library/"):
        name = name.removeprefix(prefix)
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}@{digest}" if at else f"{head}{slash}{last}:{tag or 'latest'}"


def in_registry(image: str, registry: str) -> bool:
    """Whether a reference leads to the registry at an address, by any of the names that this machine has for itself."""
    host, _, port = image.partition("/")[0].rpartition(":")
    _, _, own_port = registry.rpartition(":")
    return image.startswith(f"{registry}/") or ("/" in image and port == own_port and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost") or host.startswith("127.")


def is_root(user: str) -> bool:
    """Of `USER`, in all its forms: a name or a number, with a group or without."""
    name = user.partition(":")[0].strip()
    return name in ("", _ROOT) or bool(_NUMBER.fullmatch(name) and int(name) == 0)


def common_ports(configurations: Iterable[ImageConfiguration]) -> tuple[int, ...]:
    """Those that the image declares on every platform that it is built for, lowest first."""
    found = [set(configuration.ports) for configuration in configurations]
    return tuple(sorted(set.intersection(*found))) if found else ()


def repository_of(image: str) -> str:
    """A reference without its tag and digest: `HOST:5000/shop/api:1` → `HOST:5000/shop/api`."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
