"""Routes as stored stacks keep them, also those that were stored before a route had a rule of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from cabestan.compose.routing.rule import Match, all_of, any_of, to_text
from cabestan.domain.route import Middleware, Route

_TUPLES = ("claims", "entrypoints")


def write(routes: Iterable[Route]) -> list[Any]:
    """As YAML gives it back, every `$` doubled: newer clients of Docker look for variables here too."""
    return [_mapped(asdict(route), lambda text: text.replace("$", "$$")) for route in routes]


def read(kept: Iterable[Any]) -> tuple[Route, ...]:
    return tuple(_route(_mapped(one, lambda text: text.replace("$$", "$"))) for one in kept)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _mapped(item, change) for key, item in value.items()}
        case tuple() | list():
            return [_mapped(item, change) for item in value]
    return value


def _route(kept: Mapping[str, Any]) -> Route:
    if "hosts" in kept:
        return _older(kept)
    middlewares = tuple(Middleware(one["name"], one["kind"], _pairs(one["options"])) for one in kept["middlewares"])
    plain = {name: tuple(kept[name]) for name in _TUPLES}
    return Route(**{**kept, **plain, "middlewares": middlewares, "options": _pairs(kept["options"])})


def _pairs(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in items)


def _older(kept: Mapping[str, Any]) -> Route:
    """It had plain hosts and path prefixes, and one for each service."""
    hosts, prefixes = kept["hosts"], kept["path_prefixes"]
    parts = [any_of(*(Match("Host", (host,)) for host in hosts))]
    parts += [any_of(*(Match("PathPrefix", (prefix,)) for prefix in prefixes))] if prefixes else []
    return Route(
        name=kept["service"],
        service=kept["service"],
        rule=to_text(all_of(*parts)),
        source=kept["rule"],
        claims=tuple(sorted(hosts)),
        port=kept["port"],
        priority=kept["priority"] or len(kept["rule"]),
    )
