"""What a built image says of itself, and whether a project may run it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

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


def is_root(user: str) -> bool:
    """Of `USER`, in all its forms: a name or a number, with a group or without."""
    name = user.partition(":")[0].strip()
    return name in ("", _ROOT) or bool(_NUMBER.fullmatch(name) and int(name) == 0)


def common_ports(configurations: Iterable[ImageConfiguration]) -> tuple[int, ...]:
    """Those that the image declares on every platform that it is built for, lowest first."""
    found = [set(configuration.ports) for configuration in configurations]
    return tuple(sorted(set.intersection(*found))) if found else ()
