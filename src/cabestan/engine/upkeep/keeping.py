"""Keeps registry and router running: one that the engine could not start again is started once that works."""

from collections.abc import Callable, Mapping
from functools import partial

import structlog

from cabestan.adapters.router import PlatformContainers, ServiceContainer
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.building import builders
from cabestan.engine.cluster import Cluster
from cabestan.engine.repeating import Repeating, every
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

    return every("keeper", look_again, _LOOK_SECONDS)


def look(services: Services, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Starts what the engines could not, has routers in their networks, and gives those that do not run.

    What a person stopped or removed stays so. There is an alert for what did not run the last time (`known`) either.
    """
    down: set[str] = set()
    for cluster in services.clusters.values():
        for name, make in _wanted(services, cluster).items():
            problem = _problem(cluster.platform, name, make)
            if not problem and name == cluster.router:
                platform.rejoin_router(services.settings, services.database, cluster)
            subject = name if cluster is services.home else f"{name} on {cluster.target.name}"
            if not problem:
                clear_alert(services, KIND, subject)
                continue
            down.add(subject)
            if subject in known:
                raise_alert(services, KIND, subject, problem.message, problem.remedy)
    return frozenset(down)


def _wanted(services: Services, cluster: Cluster) -> Mapping[str, Callable[[], ServiceContainer]]:
    """By their names. The registry is at home."""
    settings, vault = services.settings, services.vault
    registry = {services.registry_name: partial(platform.wanted_registry, settings, vault)}
    router = {cluster.router: partial(platform.wanted_router, settings, vault, cluster)}
    return registry | router if cluster is services.home else router


def _problem(containers: PlatformContainers, name: str, make: Callable[[], ServiceContainer]) -> CabestanError | None:
    """Why it does not run, when all was tried; None where it does."""
    if not (problem := containers.problem(name)):
        running = containers.running(name)
        return None if running else StepFailed(f"The container {name} does not run.", "`cabestan up` starts it.")
    try:
        containers.bring_back(make())
    except CabestanError as error:
        return error
    _log.warning("started what the engine could not", container=name, problem=problem)
    return None
