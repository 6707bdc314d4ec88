"""A route as a reader of labels found it, before routes are compared and named."""

from __future__ import annotations

from dataclasses import dataclass, field

from cabestan.compose.model import Service
from cabestan.compose.nodes import Spot
from cabestan.compose.routing import matchers
from cabestan.compose.routing.labels import Labels
from cabestan.compose.routing.rule import Rule, all_of, claims_of, names_hosts
from cabestan.domain.route import IMAGE_PORT, Middleware

#: of Traefik's older names of entry points, and of the usual ones of today
_ENTRYPOINTS = {"http": "http", "web": "http", "https": "https", "websecure": "https"}
_NUMBER_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Draft:
    """`words` is what the file says; its length is the priority where the file gives none."""

    service: Service
    #: tells the routes of one service apart; empty for its only one
    part: str
    rule: Rule
    claims: tuple[str, ...]
    words: str
    spot: Spot
    port: int
    priority: int
    scheme: str = "http"
    entrypoints: tuple[str, ...] = ()
    middlewares: tuple[Middleware, ...] = field(default=())
    options: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return f"{self.service.name} ({self.part})" if self.part else self.service.name


def bound(labels: Labels, label: str, rule: Rule | None, domain: str) -> tuple[Rule, tuple[str, ...]] | None:
    """The rule with what binds it to host names: one that names none holds for the environment's own domain."""
    if rule is None or not names_hosts(rule):
        own = matchers.host(domain)
        rule = all_of(own, rule) if rule else own
    claims = claims_of(rule)
    if claims is None:
        remedy = "Have each alternative of the rule name its host, and none by `!`."
        labels.wrong(label, "Part of the rule names no host, so it would catch those of others.", remedy)
        return None
    return rule, tuple(sorted(claims))


def entrypoints(labels: Labels, label: str, value: str) -> tuple[str, ...]:
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in _ENTRYPOINTS:
            labels.wrong(label, f"There is no entry point {name[:40]!r}.", "Write http, https, or both.")
    return tuple(dict.fromkeys(_ENTRYPOINTS[name] for name in names if name in _ENTRYPOINTS))


def number(labels: Labels, label: str, value: str, least: int, most: int) -> int | None:
    if value.isascii() and value.isdigit() and len(value) <= _NUMBER_LENGTH and least <= int(value) <= most:
        return int(value)
    labels.wrong(label, f"{value[:40]!r} is no number.", f"Write a number from {least} to {most}.")
    return None


def exposed_port(labels: Labels, label: str, remedy: str) -> int | None:
    """The only port that the service exposes; where it exposes none, the lowest of its image, as Traefik 1 takes it."""
    exposed = [ports for ports in labels.service.expose if ports.protocol == "tcp"]
    if len(exposed) == 1 and exposed[0].first == exposed[0].last:
        return exposed[0].first
    if exposed:
        labels.wrong(label, "The service exposes several ports.", remedy, code="route-port")
        return None
    declared = labels.service.image_ports
    if declared is None:
        return IMAGE_PORT
    if not declared:
        message = f"The service exposes no port, and its image {labels.service.image} declares none."
        labels.wrong(label, message, remedy, code="route-port")
    return declared[0] if declared else None
