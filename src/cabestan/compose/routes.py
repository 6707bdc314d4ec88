"""Routes from the labels of services, in the words of Traefik 1, and their rules in the words of Traefik 3.

Only what is understood whole becomes a route. Hosts and paths hold no character that means anything in a
rule, so nothing can be smuggled into one. As in Traefik 1, the higher `traefik.frontend.priority` wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations

from cabestan.compose.findings import Report
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.nodes import Spot
from cabestan.domain.route import Route

_PREFIX = "traefik."
_RULE = "traefik.frontend.rule"
_PRIORITY = "traefik.frontend.priority"
_PORT = "traefik.port"
_ENABLE = "traefik.enable"
#: `traefik.tags` chose among several routers of old; one router serves all
_LABELS = frozenset({_RULE, _PRIORITY, _PORT, _ENABLE, "traefik.tags"})

_HOST_PART = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_HOST_PART}\.)*{_HOST_PART}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~/@+-]{0,254}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_MOST_PORT = 65535
_EXAMPLE = "Write Host:example.org or Host:example.org;PathPrefix:/path."


def routes(compose: ComposeFile) -> tuple[Route, ...]:
    """The routes of all services, in the order of the file. Raises ComposeRefused."""
    report = Report(compose.file)
    found = check_routes(report, compose)
    report.refuse_if_wrong()
    return found


def check_routes(report: Report, compose: ComposeFile) -> tuple[Route, ...]:
    """As `routes`, into a report."""
    readers = (_RouteReader(report, service) for service in compose.services)
    found = tuple(route for reader in readers if (route := reader.route()))
    _check_overlaps(report, compose, found)
    return found


def to_traefik_rule(route: Route) -> str:
    """The rule for Traefik 3: ``Host(`a`) && PathPrefix(`/b`)``."""
    if not all(map(is_host, route.hosts)) or not all(map(is_path, route.path_prefixes)) or not route.hosts:
        raise ValueError(f"not a route that was checked: {route}")
    return " && ".join(
        _any_of(matcher, values)
        for matcher, values in (("Host", route.hosts), ("PathPrefix", route.path_prefixes))
        if values
    )


def _any_of(matcher: str, values: tuple[str, ...]) -> str:
    either = " || ".join(f"{matcher}(`{value}`)" for value in values)
    return f"({either})" if len(values) > 1 else either


def is_host(host: str) -> bool:
    """Whether it is a plain host name in lower case, no address and no pattern."""
    return bool(_HOST.fullmatch(host)) and not host.rpartition(".")[2].isdigit()


def is_path(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and "//" not in path and not {".", ".."} & set(path.split("/"))


@dataclass(frozen=True, slots=True)
class _RouteReader:
    """Reads the route of one service."""

    report: Report
    service: Service

    def route(self) -> Route | None:
        self._check_labels()
        rule = self.service.labels.get(_RULE)
        if not self._is_enabled(rule):
            return None
        if rule is None:
            self._wrong(_ENABLE, "The service is routed, but has no rule.", f"Add {_RULE}. {_EXAMPLE}")
            return None
        if self.service.runs_once or self.service.by_the_clock:
            self._wrong(_RULE, "A service that runs to its end cannot be routed.", "Write `labels: []` there.")
        hosts, paths = self._rule(rule)
        port = self._port()
        priority = self._number(_PRIORITY, 1, 999_999) if _PRIORITY in self.service.labels else None
        if not hosts or port is None:
            return None
        return Route(self.service.name, hosts, paths, port, priority, rule.strip())

    def _check_labels(self) -> None:
        for name in self.service.labels:
            if name.lower().startswith(_PREFIX) and name not in _LABELS:
                remedy = f"Remove it. Supported are {', '.join(sorted(_LABELS))}."
                self._wrong(name, f"The label {name} is not supported.", remedy, code="route-label")

    def _is_enabled(self, rule: str | None) -> bool:
        """A rule alone is enough, as it was in Traefik 1."""
        value = self.service.labels.get(_ENABLE, "true" if rule is not None else "false").strip().lower()
        if value not in ("true", "false"):
            self._wrong(_ENABLE, f"{_ENABLE} is {value[:40]!r}.", "Write 'true' or 'false'.")
        return value == "true"

    def _rule(self, rule: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        hosts: tuple[str, ...] = ()
        paths: tuple[str, ...] = ()
        for part in rule.split(";"):
            matcher, _, text = part.partition(":")
            values = tuple(dict.fromkeys(value.strip() for value in text.split(",")))
            match matcher.strip():
                case "Host" if not hosts:
                    hosts = self._hosts(values)
                case "PathPrefix" if not paths:
                    paths = self._paths(values)
                case "Host" | "PathPrefix":
                    self._wrong(_RULE, f"{matcher.strip()} stands twice.", "List its values with commas.")
                case other:
                    message = f"{other[:40]!r} in the rule is not supported."
                    self._wrong(_RULE, message, _EXAMPLE, code="route-matcher")
        if not hosts:
            self._wrong(_RULE, "The rule names no host.", _EXAMPLE)
        return hosts, paths

    def _hosts(self, values: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(dict.fromkeys(value.lower() for value in values))
        for host in hosts:
            if not is_host(host):
                remedy = "Write a plain host name, such as app.example.org."
                self._wrong(_RULE, f"{host[:80]!r} is no host name.", remedy)
        return hosts

    def _paths(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for path in values:
            if not is_path(path):
                remedy = "Write a plain path, such as /api/."
                self._wrong(_RULE, f"{path[:80]!r} is no path.", remedy)
        return values

    def _port(self) -> int | None:
        if _PORT in self.service.labels:
            return self._number(_PORT, 1, _MOST_PORT)
        exposed = [ports for ports in self.service.expose if ports.protocol == "tcp"]
        if len(exposed) == 1 and exposed[0].first == exposed[0].last:
            return exposed[0].first
        count = "several ports" if exposed else "no port"
        self._wrong(_RULE, f"The service exposes {count}.", f"Add {_PORT}: 'PORT'.", code="route-port")
        return None

    def _number(self, label: str, least: int, most: int) -> int | None:
        value = self.service.labels[label].strip()
        if _NUMBER.fullmatch(value) and least <= int(value) <= most:
            return int(value)
        self._wrong(label, f"{value[:40]!r} is no number.", f"Write a number from {least} to {most}.")
        return None

    def _wrong(self, label: str, message: str, remedy: str, code: str = "route") -> None:
        self.report.error(code, _label_spot(self.service, label), message, remedy)


def _label_spot(service: Service, label: str) -> Spot:
    return service.places.get(f"labels.{label}") or service.place("labels")


def _check_overlaps(report: Report, compose: ComposeFile, found: tuple[Route, ...]) -> None:
    spots = {service.name: _label_spot(service, _RULE) for service in compose.services}
    for one, other in combinations(found, 2):
        shared = sorted(set(one.addresses) & set(other.addresses))
        if shared:
            message = f"{shared[0]} leads to {one.service} as well as to {other.service}."
            report.error("route-twice", spots[other.service], message, "Change one of the rules.")
        for wide, narrow in ((one, other), (other, one)):
            if not shared and _hides(wide, narrow):
                message = f"{narrow.service} is never reached: {wide.service} has the higher priority."
                remedy = f"Give {narrow.service} the higher {_PRIORITY}: the higher number wins."
                report.warn("route-hidden", spots[narrow.service], message, remedy)


def _hides(wide: Route, narrow: Route) -> bool:
    """Whether every request for the narrow route goes to the wide one."""
    if wide.priority is None or narrow.priority is None or wide.priority <= narrow.priority:
        return False
    covers_paths = not wide.path_prefixes or (
        bool(narrow.path_prefixes) and all(path.startswith(wide.path_prefixes) for path in narrow.path_prefixes)
    )
    return covers_paths and set(narrow.hosts) <= set(wide.hosts)
