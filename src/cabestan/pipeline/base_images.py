"""Which image of the platform's catalogue a Dockerfile or a Compose file means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cabestan.pipeline.refused import DockerfileRefused

_WRITTEN = re.compile(r"([a-z0-9][a-z0-9._-]*)/([a-z0-9][a-z0-9._-]*)(?::([\w][\w.-]*))?", re.ASCII)


class UnknownBaseImage(DockerfileRefused):
    """The catalogue's owner has no such image."""

    def __init__(self, written: str, file: str, line: int, known: Iterable[str]) -> None:
        what = f"{written} is no base image of this platform."
        remedy = f"There are: {', '.join(sorted(known))}."
        super().__init__(code="base-image-unknown", what=what, remedy=remedy, file=file, line=line)


@dataclass(frozen=True)
class BaseImages:
    """`references` are those of the catalogue (`cabestan/node:18`).

    `aliases` are other owners whose images are the catalogue's where it has one of that name: with `acme`,
    `acme/node:18` means `cabestan/node:18`. `dockerfiles` has the text that makes each, where it is known; it is empty
    for the one that all others begin with.
    """

    references: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    dockerfiles: Mapping[str, str] = field(default_factory=dict, hash=False)

    def meant(self, written: str, file: str, line: int = 0) -> str | None:
        """The catalogue's reference, or None for an image of somebody else.

        A version may be left out or cut short: `cabestan/python:3` is `cabestan/python:3.11`. `file` and `line` say
        where it is written. Raises UnknownBaseImage for one that the catalogue's owner does not have.
        """
        match = _WRITTEN.fullmatch(written)
        if not match:
            return None
        owner, name, version = match[1], match[2], match[3] or "latest"
        fitting = [reference for reference in self.references if self._fits(reference, owner, name, version)]
        if not fitting and owner in {reference.partition("/")[0] for reference in self.references}:
            raise UnknownBaseImage(written, file, line, self.references)
        return max(fitting, key=_version_key, default=None)

    def _fits(self, reference: str, owner: str, name: str, version: str) -> bool:
        own_owner, _, rest = reference.partition("/")
        own_name, _, own_version = rest.partition(":")
        same_version = version == "latest" or f"{own_version}.".startswith(f"{version}.")
        return name == own_name and same_version and (owner == own_owner or owner in self.aliases)


NO_BASE_IMAGES = BaseImages()


def _version_key(reference: str) -> tuple[int, ...]:
    """`…:18.2` is newer than `…:9`."""
    return tuple(int(part) for part in re.findall(r"\d+", reference.rpartition(":")[2]))
