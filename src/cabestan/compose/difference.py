"""What changes between two stacks, in words for the person who approves it. Secrets appear by name only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cabestan.compose.networks import ENVIRONMENT, shown_key
from cabestan.compose.stack import Stack, secret_names
from cabestan.domain.route import Route

_COMMIT = re.compile(r"(?<=:)([0-9a-f]{8})[0-9a-f]{32}(?![0-9a-f])", re.ASCII)
_SHORT_DIGEST = 12
#: settings of a service that have changes of their own, or follow from the release
_OWN_CHANGES = frozenset({"image", "environment", "networks"})
_OUR_LABELS = "cabestan."
_ENVIRONMENTS_OWN = "the environment's own"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `before` and `after` are empty where there was, or will be, nothing."""

    #: such as "service added", "image", "variable changed", "route removed", "networks", "replicas"
    kind: str
    subject: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """One line: `image web: hello:1a2b3c4d → hello:5e6f7a8b`."""
        values = " → ".join(value for value in (self.before, self.after) if value)
        return f"{self.kind} {self.subject}" + (f": {values}" if values else "")


def difference(old: Stack | None, new: Stack) -> tuple[Change, ...]:
    """The changes from `old` (None: nothing was deployed) to `new`; empty where both would run the same."""
    return (*_services(old, new), *_routes(old, new), *_networks(old, new), *_volumes(old, new))


def _services(old: Stack | None, new: Stack) -> Iterator[Change]:
    before: Mapping[str, Any] = old.all_services if old else {}
    after: Mapping[str, Any] = new.all_services
    for name in after:
        if name not in before:
            yield Change("service added", name, "", _image(new, name))
            yield from _variables(name, {}, after[name])
            yield from _joined(name, None, after[name])
        else:
            assert old is not None, "nothing comes before nothing"
            yield from _service(name, old, new)
    for name in before:
        if name not in after:
            assert old is not None, "nothing comes before nothing"
            yield Change("service removed", name, _image(old, name), "")


def _service(name: str, old: Stack, new: Stack) -> Iterator[Change]:
    before, after = old.all_services[name], new.all_services[name]
    if before["image"] != after["image"]:
        yield Change("image", name, _image(old, name), _image(new, name))
    yield from _variables(name, before, after)
    yield from _joined(name, before, after)
    settings, wanted = _settings(before), _settings(after)
    for key in dict.fromkeys((*settings, *wanted)):
        if settings.get(key) != wanted.get(key):
            kind = "replicas" if key == "deploy.replicas" else "setting"
            subject = name if kind == "replicas" else f"{name}.{key}"
            yield Change(kind, subject, _words(settings.get(key)), _words(wanted.get(key)))


def _image(stack: Stack, service: str) -> str:
    """`hello:1a2b3c4d (0123456789ab)`: commit and digest shortened."""
    digest = stack.all_services[service]["image"].partition("@sha256:")[2]
    written = _COMMIT.sub(r"\1", stack.images[service])
    return f"{written} ({digest[:_SHORT_DIGEST]})"


def _variables(service: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = before.get("environment", {}), after.get("environment", {})
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        kind = "changed" if name in old and name in new else "added" if name in new else "removed"
        subject = f"{service}.{name}"
        yield Change(f"variable {kind}", subject, _value(old.get(name)), _value(new.get(name)))


def _value(value: str | None) -> str:
    """A variable's value for people; one with a secret in it shows the secret's name and nothing else."""
    if value is None:
        return ""
    names = secret_names(value)
    if names:
        return f"secret {', '.join(names)}"
    return value.replace("$$", "$") or '""'


def _joined(service: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[Change]:
    """The networks of a service; of one that is new, where they are not the environment's own alone."""
    old, new = _networks_of(before or {}), _networks_of(after)
    if old != new:
        yield Change("networks", service, old if before else "", new)


def _networks_of(service: Mapping[str, Any]) -> str:
    keys = service.get("networks", (ENVIRONMENT,))
    return ", ".join(sorted(_ENVIRONMENTS_OWN if key == ENVIRONMENT else shown_key(key) for key in keys))


def _aliases(service: Mapping[str, Any]) -> list[str]:
    """The same in all of its networks."""
    networks = service.get("networks")
    every = networks.values() if isinstance(networks, Mapping) else ()
    return next((network["aliases"] for network in every), [])


def _settings(service: Mapping[str, Any]) -> dict[str, Any]:
    """All other settings, those of `deploy` and the file's own labels one by one."""
    settings = {key: value for key, value in service.items() if key not in {*_OWN_CHANGES, "deploy", "labels"}}
    for name, value in service["labels"].items():
        if not name.startswith(_OUR_LABELS):
            settings[f"labels.{name}"] = value
    for key, value in service["deploy"].items():
        if key != "labels":
            settings[f"deploy.{key}"] = value
    if aliases := _aliases(service):
        settings["aliases"] = aliases
    settings.setdefault("deploy.replicas", 1)
    return settings


def _words(value: Any) -> str:
    """A setting for people: `a, b` for lists, `key=value` for mappings."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict():
            return ", ".join(f"{key}={_words(item)}" for key, item in value.items())
        case list():
            return " ".join(_words(item) for item in value)
    return str(value).replace("$$", "$")


def _routes(old: Stack | None, new: Stack) -> Iterator[Change]:
    before = {route.name: _route(route) for route in (old.routes if old else ())}
    after = {route.name: _route(route) for route in new.routes}
    yield from _named("route", before, after)


def _route(route: Route) -> str:
    through = "".join(f", {step.kind}" for step in route.middlewares)
    priority = "" if route.priority == len(route.source) else f", priority {route.priority}"
    return f"{route.rule} to port {route.port}{priority}{through}"


def _networks(old: Stack | None, new: Stack) -> Iterator[Change]:
    """Those that the file makes and that keep services apart."""
    yield from _named("network", _own_networks(old) if old else {}, _own_networks(new))


def _own_networks(stack: Stack) -> dict[str, str]:
    internal = {network.name for network in stack.networks if network.internal}
    declared = {key: one["name"] for key, one in stack.document.get("networks", {}).items() if key != ENVIRONMENT}
    return {shown_key(key): f"{name}{', internal' if name in internal else ''}" for key, name in declared.items()}


def _volumes(old: Stack | None, new: Stack) -> Iterator[Change]:
    before = old.document.get("volumes", {}) if old else {}
    after = new.document.get("volumes", {})
    for name in after:
        if name not in before:
            yield Change("volume added", name, "", after[name]["name"])
    for name in before:
        if name not in after:
            yield Change("volume no longer used", name, before[name]["name"], "")


def _named(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            verb = "changed" if name in before and name in after else "added" if name in after else "removed"
            yield Change(f"{kind} {verb}", name, before.get(name, ""), after.get(name, ""))
