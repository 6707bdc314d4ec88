"""A rendered stack: the plain file that `docker stack deploy` takes, with or without Cabestan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from cabestan.compose.placeholder import SECRET_VARIABLE
from cabestan.compose.scalars import resolve
from cabestan.domain.route import Route
from cabestan.errors import Invalid

#: what Cabestan wants to know of a stack later and Docker passes over
EXTENSION = "x-cabestan"
#: readers of YAML 1.1, which older Docker clients are, take these for true and false, and for signs of their own
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "=", "<<"})
_SECRET = re.compile(rf"(?<!\$)(?:\$\$)*\$\{{{SECRET_VARIABLE}([A-Za-z0-9_]+)\}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stack:
    """`document` is the file as plain values, every `$` doubled, secrets as references to variables."""

    document: Mapping[str, Any]

    @classmethod
    def from_yaml(cls, text: str) -> Stack:
        """The stack of a stored file. Raises Invalid if it is not one that was rendered here."""
        try:
            document = yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise Invalid("The stored stack is not YAML.", "Deploy the release again.") from error
        if not isinstance(document, dict) or EXTENSION not in document:
            raise Invalid("The stored stack was not rendered by Cabestan.", "Deploy the release again.")
        return cls(document)

    def to_yaml(self) -> str:
        """The file; equal stacks give equal texts."""
        document = chain(
            (StreamStartEvent(), DocumentStartEvent(explicit=False)),
            _events(dict(self.document)),
            (DocumentEndEvent(explicit=False), StreamEndEvent()),
        )
        return str(yaml.emit(document, Dumper=yaml.CSafeDumper, width=2**20, allow_unicode=True))

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(self.document["services"])

    @property
    def routes(self) -> tuple[Route, ...]:
        return tuple(
            Route(**{**kept, "hosts": tuple(kept["hosts"]), "path_prefixes": tuple(kept["path_prefixes"])})
            for kept in self.document[EXTENSION]["routes"]
        )

    @property
    def images(self) -> Mapping[str, str]:
        """Service to the name of its image as the Compose file has it, which tells the commit."""
        images: dict[str, str] = self.document[EXTENSION]["images"]
        return images

    @property
    def secrets_used(self) -> frozenset[str]:
        """The names of the secrets whose values `docker stack deploy` must find in its environment."""
        return frozenset(
            name
            for service in self.document["services"].values()
            for value in service.get("environment", {}).values()
            for name in secret_names(value)
        )

    @property
    def secret_files(self) -> Mapping[str, str]:
        """What Swarm calls each secret that services get as a file, to the name of the environment's secret."""
        return {entry["name"]: name for name, entry in self.document.get("secrets", {}).items()}


def secret_names(value: str) -> tuple[str, ...]:
    """The secrets that a value of a stack file refers to."""
    return tuple(_SECRET.findall(value))


def extension(routes: tuple[Route, ...], images: Mapping[str, str]) -> dict[str, Any]:
    """The part of the document that only Cabestan reads."""
    kept = [asdict(route) for route in routes]
    for route in kept:
        route["hosts"], route["path_prefixes"] = list(route["hosts"]), list(route["path_prefixes"])
    return {"images": dict(images), "routes": kept}


def _events(value: Any) -> Iterator[Event]:
    """The value as events of YAML, straight: nothing here needs tags, aliases or sorting."""
    match value:
        case dict():
            yield MappingStartEvent(None, None, implicit=True, flow_style=False)
            for key, inner in value.items():
                yield from _events(key)
                yield from _events(inner)
            yield MappingEndEvent()
        case list():
            yield SequenceStartEvent(None, None, implicit=True, flow_style=False)
            for inner in value:
                yield from _events(inner)
            yield SequenceEndEvent()
        case str():
            yield ScalarEvent(None, None, (True, True), value, style=None if _is_plain(value) else '"')
        case _:
            yield ScalarEvent(None, None, (True, False), json.dumps(value))


def _is_plain(text: str) -> bool:
    """Whether no reader of YAML could take the text for something else."""
    if text.lower() in _OLD_WORDS or not isinstance(resolve(text), str) or not text.isprintable():
        return False
    return not (text[0].isdigit() or (text[0] in "+-" and text[1:2].isdigit()))
