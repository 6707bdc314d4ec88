"""In which order a stack comes up where some of its services run once, before the others are switched over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cabestan.compose.model import ComposeFile
from cabestan.compose.order import start_order


@dataclass(frozen=True, slots=True)
class Start:
    """Services that something which runs once needs, and that nothing has started yet."""

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunOnce:
    service: str


Phase = Start | RunOnce


def phases(compose: ComposeFile, running: Collection[str], kept: Collection[str]) -> tuple[Phase, ...]:
    """What comes before the whole stack is applied, in this order.

    `running` are the services that the previous release runs: they are left as they are, and serve on while the
    others run once. `kept` are those that the stack keeps running; what else a service depends on, such as a managed
    one, is there already.
    """
    once = {service.name for service in compose.services if service.runs_once}
    needed = _needed(compose, once)
    found: list[Phase] = []
    for name in start_order(compose):
        if name in once:
            found.append(RunOnce(name))
        elif name in needed and name in kept and name not in running:
            if found and isinstance(found[-1], Start):
                found[-1] = Start((*found[-1].services, name))
            else:
                found.append(Start((name,)))
    return tuple(found)


def _needed(compose: ComposeFile, names: Collection[str]) -> frozenset[str]:
    """All that the services with these names depend on, by way of others too."""
    depends = {service.name: [d.service for d in service.depends_on] for service in compose.services}
    found: set[str] = set()
    waiting = [needed for name in names for needed in depends[name]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += depends.get(name, [])
    return frozenset(found)
