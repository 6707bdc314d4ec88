"""A rendered stack: the plain file that `docker stack deploy` takes, with or without Cabestan.

Every file is written and read here, and nowhere else: what Swarm would expand is escaped in the file, and plain in the
document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
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

from cabestan.compose import kept_routes
from cabestan.compose.braces import Turn, literal, meant, turned_service, turned_volume
from cabestan.compose.placeholder import SECRET_VARIABLE
from cabestan.compose.scalars import resolve
from cabestan.domain.action import Kept
from cabestan.domain.route import Route
from cabestan.errors import Invalid, StepFailed

#: what Cabestan wants to know of a stack later and Docker passes over
EXTENSION = "x-cabestan"
#: readers of YAML 1.1, which older Docker clients are, take these for true and false, and for signs of their own
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "=", "<<"})
_SECRET = re.compile(rf"(?<!\$)(?:\$\$)*\$\{{{SECRET_VARIABLE}([A-Za-z0-9_]+)\}}", re.ASCII)
#: a `$` of the text, or a reference
_REFERENCE = re.compile(rf"\$\$|\$\{{{SECRET_VARIABLE}([A-Za-z0-9_]+)\}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StackNetwork:
    """A network of an environment, by Swarm's name. The router is in it where it is `routed`."""

    name: str
    internal: bool
    routed: bool


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
        return cls(_turned(document, meant))

    def to_yaml(self) -> str:
        """The file; equal stacks give equal texts."""
        return _emitted(_turned(self.document, literal), _kept_text_event)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(self.document["services"])

    def only(self, names: tuple[str, ...]) -> Stack:
        """The same, of the services that are kept running only these."""
        services = {name: service for name, service in self.document["services"].items() if name in names}
        return Stack({**self.document, "services": services})

    @property
    def numbers(self) -> Mapping[str, int]:
        """How many replicas each service has by the Compose file."""
        written = {name: _replicas(service) for name, service in self.document["services"].items()}
        return {**written, **self._kept("replicas")}

    def replicas_of(self, service: str) -> int:
        """How many it is to have here."""
        return _replicas(self.document["services"][service])

    def keeping(self, kept: Kept) -> Stack:
        """The same with what people have stopped and scaled, and nothing of what they had before."""
        own = self.numbers
        changed = {name: number for name, number in own.items() if kept.wanted(name, number) != number}
        services = {
            name: _with_replicas(service, kept.wanted(name, own[name]))
            for name, service in self.document["services"].items()
        }
        beside = {key: value for key, value in self.document[EXTENSION].items() if key != "replicas"}
        beside |= {"replicas": changed} if changed else {}
        return Stack({**self.document, "services": services, EXTENSION: beside})

    @property
    def awake(self) -> tuple[Route, ...]:
        """The routes of services of which something is to run."""
        asleep = {name for name, service in self.document["services"].items() if _replicas(service) == 0}
        return tuple(route for route in self.routes if route.service not in asleep)

    @property
    def once(self) -> Mapping[str, Any]:
        """The services that run to their end in each deployment, as the file would have them."""
        return self._kept("once")

    @property
    def cron(self) -> Mapping[str, Any]:
        """The services that run by the clock, each with `schedule`, `run`, `overlap`, `timeout_seconds`, `retries`."""
        return self._kept("cron")

    def _kept(self, key: str) -> Mapping[str, Any]:
        """What only Cabestan reads; nothing where the stack has none of it."""
        found: dict[str, Any] = self.document[EXTENSION].get(key, {})
        return found

    @property
    def all_services(self) -> Mapping[str, Any]:
        """Those that are kept running, and those that are not."""
        return {**self.document["services"], **self.once, **self.cron}

    @property
    def routes(self) -> tuple[Route, ...]:
        return kept_routes.read(self.document[EXTENSION]["routes"])

    @property
    def images(self) -> Mapping[str, str]:
        """Service to the name of its image as the Compose file has it, which tells the commit."""
        return self._kept("images")

    @property
    def files(self) -> Mapping[str, str]:
        """What Swarm calls each text that services get as a file, to the text."""
        return self._kept("files")

    @property
    def networks(self) -> tuple[StackNetwork, ...]:
        """Those that it has beside the environment's own one."""
        return _networks_of(self.document[EXTENSION])

    @property
    def secrets_used(self) -> frozenset[str]:
        """The names of the secrets whose values `docker stack deploy` must find in its environment."""
        return frozenset(
            name
            for service in self.all_services.values()
            for value in service.get("environment", {}).values()
            for name in secret_names(value)
        )

    @property
    def secret_files(self) -> Mapping[str, str]:
        """What Swarm calls each secret that services get as a file, to the name of the environment's secret."""
        return {entry["name"]: name for name, entry in self.document.get("secrets", {}).items()}


def _replicas(service: Mapping[str, Any]) -> int:
    return int(service["deploy"].get("replicas", 1))


def _with_replicas(service: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    if number == _replicas(service):
        return service
    return {**service, "deploy": {**service["deploy"], "replicas": number}}


def routes_in(text: str) -> tuple[Route, ...]:
    """The routes of a stored file, without reading all of it: what only Cabestan reads stands at its end."""
    _, found, rest = text.rpartition(f"\n{EXTENSION}:\n")
    return kept_routes.read(yaml.load(rest, Loader=yaml.CSafeLoader)["routes"]) if found else ()


def networks_in(text: str) -> tuple[StackNetwork, ...]:
    """The same of a stored file, without reading all of it; of most, without reading any of it."""
    _, found, rest = text.rpartition(f"\n{EXTENSION}:\n")
    if not found or "\n  networks:\n" not in rest:
        return ()
    return _networks_of(yaml.load(rest, Loader=yaml.CSafeLoader))


def _networks_of(extension: Mapping[str, Any]) -> tuple[StackNetwork, ...]:
    found: Mapping[str, Any] = extension.get("networks", {})
    return tuple(StackNetwork(name, one["internal"], one["routed"]) for name, one in found.items())


def secret_names(value: str) -> tuple[str, ...]:
    """The secrets that a value of a stack file refers to."""
    return tuple(_SECRET.findall(value))


def with_values(text: str, secrets: Mapping[str, str]) -> str:
    """A file as Swarm is given it once: each reference to a secret has its value, and what only Cabestan reads is gone.

    Raises StepFailed where one has no value. Nobody keeps this text.
    """
    document: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    wanted = {key: value for key, value in document.items() if key != EXTENSION}
    return _emitted(_filled(wanted, secrets), _text_event)


def as_in_file(secret: str) -> str:
    """A secret's value in the place of its reference, in a variable of a service."""
    return literal(secret).replace("$", "$$")


def _filled(value: Any, secrets: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _REFERENCE.sub(lambda found: _value_of(found, secrets), value) if "${" in value else value
        case dict():
            return {key: _filled(inner, secrets) for key, inner in value.items()}
        case list():
            return [_filled(inner, secrets) for inner in value]
    return value


def _value_of(found: re.Match[str], secrets: Mapping[str, str]) -> str:
    name = found[1]
    if not name:
        return found[0]
    if name not in secrets:
        raise StepFailed(f"The stack needs the secret {name}, which has no value.", "Deploy the release again.")
    return as_in_file(secrets[name])


def _turned(document: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    """All services, and what their mounts take from the file."""
    found = dict(document)
    for key, turned in (("services", turned_service), ("volumes", turned_volume)):
        if key in found:
            found[key] = {name: turned(inner, turn) for name, inner in found[key].items()}
    for key in ("once", "cron"):
        if key in found.get(EXTENSION, {}):
            services = found[EXTENSION][key].items()
            found[EXTENSION] = {**found[EXTENSION], key: {name: turned_service(one, turn) for name, one in services}}
    return found


def extension(
    routes: tuple[Route, ...],
    images: Mapping[str, str],
    once: Mapping[str, Any],
    cron: Mapping[str, Any],
    networks: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The part of the document that only Cabestan reads."""
    ending = {name: dict(services) for name, services in (("once", once), ("cron", cron)) if services}
    own = {name: dict(found) for name, found in (("files", files), ("networks", networks)) if found}
    return {"images": dict(images), "routes": kept_routes.write(routes), **own, **ending}


def _emitted(document: Mapping[str, Any], text_event: Callable[[str], ScalarEvent]) -> str:
    events: list[Event] = [StreamStartEvent(), DocumentStartEvent(explicit=False)]
    _add_events(events, document, text_event)
    events += [DocumentEndEvent(explicit=False), StreamEndEvent()]
    return str(yaml.emit(events, Dumper=yaml.CSafeDumper, width=2**20, allow_unicode=True))


def _add_events(events: list[Event], value: Any, text_event: Callable[[str], ScalarEvent]) -> None:
    """The value as events of YAML, straight: nothing here needs tags, aliases or sorting."""
    match value:
        case str():
            events.append(text_event(value))
        case dict():
            events.append(MappingStartEvent(None, None, implicit=True, flow_style=False))
            for key, inner in value.items():
                _add_events(events, key, text_event)
                _add_events(events, inner, text_event)
            events.append(MappingEndEvent())
        case list():
            events.append(SequenceStartEvent(None, None, implicit=True, flow_style=False))
            for inner in value:
                _add_events(events, inner, text_event)
            events.append(SequenceEndEvent())
        case _:
            events.append(ScalarEvent(None, None, (True, False), json.dumps(value)))


def _text_event(text: str) -> ScalarEvent:
    return ScalarEvent(None, None, (True, True), text, style=None if _is_plain(text) else '"')


#: stacks say the same words again and again; no secret is ever kept so
_kept_text_event = lru_cache(maxsize=4096)(_text_event)


def _is_plain(text: str) -> bool:
    """Whether no reader of YAML could take the text for something else."""
    if text.lower() in _OLD_WORDS or not isinstance(resolve(text), str) or not text.isprintable():
        return False
    return not (text[0].isdigit() or (text[0] in "+-" and text[1:2].isdigit()))
