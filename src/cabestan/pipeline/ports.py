"""Which ports an image will declare, as far as Dockerfiles tell it before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cabestan.pipeline.base_images import BaseImages, UnknownBaseImage
from cabestan.pipeline.dockerfile import parse_dockerfile, substitute
from cabestan.pipeline.instructions import of_the_image

#: TCP ports, lowest first; None where nobody can know them yet
Ports = tuple[int, ...] | None
_EXPOSED = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?", re.ASCII | re.IGNORECASE)
_MOST_PORT = 65535
_NOTHING = "scratch"


def declared_ports(text: str, base: Callable[[str], Ports]) -> Ports:
    """Of the image that a Dockerfile makes. `base` tells those of what it builds on, as it is written there.

    Where its own EXPOSE tells a port, those of a base that is not known are passed over.
    """
    instructions = of_the_image(text)
    own = _exposed(word for one in instructions if one.word == "EXPOSE" for word in one.rest.split())
    if own is None:
        return None
    # further ones name stages of the same file, whose instructions are there already
    beneath = next((_beneath(one.rest, base) for one in instructions if one.word == "FROM"), ())
    return None if beneath is None and not own else tuple(sorted(own.union(beneath or ())))


def catalogue_ports(images: BaseImages, written: str, arguments: str = "") -> Ports:
    """Of an image that the platform makes itself. `arguments` is the Dockerfile whose ARGs the reference may use."""
    filled = substitute(written, parse_dockerfile(arguments).arguments, {})
    try:
        meant = images.meant(filled, "")
    except UnknownBaseImage:
        return None
    if meant is None or meant not in images.dockerfiles:
        return None
    text = images.dockerfiles[meant]
    return declared_ports(text, lambda beneath: catalogue_ports(images, beneath, text)) if text else ()


def _beneath(rest: str, base: Callable[[str], Ports]) -> Ports:
    written = next((word for word in rest.split() if not word.startswith("--")), _NOTHING)
    return () if written == _NOTHING else base(written)


def _exposed(words: Iterable[str]) -> set[int] | None:
    """None where a port is a variable."""
    found = [_EXPOSED.fullmatch(word) for word in words]
    if any(match is None for match in found):
        return None
    return _together(_range(match) for match in found if match and (match[3] or "tcp").lower() == "tcp")


def _range(match: re.Match[str]) -> tuple[int, int]:
    first = int(match[1])
    return first, min(int(match[2] or first), _MOST_PORT)


def _together(ranges: Iterable[tuple[int, int]]) -> set[int]:
    """Each port is counted once, however many ranges it is in."""
    ports: set[int] = set()
    reached = -1
    for first, last in sorted(ranges):
        ports.update(range(max(first, reached + 1), last + 1))
        reached = max(reached, last)
    return ports
