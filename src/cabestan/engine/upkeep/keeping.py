"""Keeps registry and router running: one that the engine could not start again is started once that works."""

from collections.abc import Callable

import structlog

from cabestan.adapters.router import ServiceContainer
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.building import builders
from cabestan.engine.repeating import Repeating
from cabestan.engine.services import Services
from cabestan.engine.upkeep import platform
from cabestan.errors import CabestanError, StepFailed

_log = structlog.get_logger(__name__)
KIND = "platform"
_LOOK_SECONDS = 15.0


def keeper(services: Services) -> Repeating:
    """Looks at both, and at builders, four times a minute."""
    #: those that did not run at the last look: `cabestan up` takes them away for a moment, which is no alert
    down: frozenset[str] = frozenset()

    def look_again() -> None:
        nonlocal down
        down = look(services, down)
        builders.look(services)

    return Repeating("keeper", look_again, _LOOK_SECONDS)


def look(services: Services, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Starts what the engine could not, has the router in its networks, and gives those that do not run.

    What a person stopped or removed stays so. There is an alert for what did not run the last time (`known`) either.
    """
    containers = services.platform
    wanted = {
        services.registry_name: lambda: platform.wanted_registry(services.settings, services.vault),
        services.router_name: lambda: platform.wanted_router(services.settings, services.vault, containers),
    }
    down = {name: problem for name, make in wanted.items() if (problem := _problem(services, name, make))}
    if services.router_name not in down:
        platform.rejoin_router(services.settings, services.database, services.stacks, containers)
    for name in wanted:
        if name not in down:
            clear_alert(services, KIND, name)
        elif name in known:
            raise_alert(services, KIND, name, down[name].message, down[name].remedy)
    return frozenset(down)


def _problem(services: Services, name: str, make: Callable[[], ServiceContainer]) -> CabestanError | None:
    """Why it does not run, when all was tried; None where it does."""
    containers = services.platform
    if not (problem := containers.problem(name)):
        running = containers.running(name)
        return None if running else StepFailed(f"The container {name} does not run.", "`cabestan up` starts it.")
    try:
        containers.bring_back(make())
    except CabestanError as error:
        return error
    _log.warning("started what the engine could not", container=name, problem=problem)
    return None
