"""Services that end: who is waited for until it has done its work runs once, before those that wait for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cabestan.compose.findings import Report
from cabestan.compose.model import Dependency, Restart, Service

#: how far a service must be that somebody waits for to its end
_ENDED = "service_completed_successfully"


def with_ends(report: Report, services: Iterable[Service]) -> tuple[Service, ...]:
    """The services, those that are waited for to their end as such that run once.

    Reports those that would never end: what is kept running says so by `restart`, or runs by the clock.
    """
    services = tuple(services)
    waited: dict[str, Dependency] = {}
    for service in services:
        for dependency in service.depends_on:
            if dependency.condition == _ENDED:
                waited.setdefault(dependency.service, dependency)
    return tuple(_ending(report, one, waited[one.name]) if one.name in waited else one for one in services)


def _ending(report: Report, service: Service, dependency: Dependency) -> Service:
    if service.by_the_clock:
        message = f"{service.name} runs by the clock and not in a deployment, so nobody can wait for its end."
        report.error("dependency-end", dependency.spot, message, "Remove the dependency.")
    elif service.restart.condition == "any" and "restart" in service.places:
        message = f"{service.name} is waited for until it has ended, but it is started again whenever it ends."
        remedy = 'Write restart: "no" there, or wait for condition: service_started.'
        report.error("dependency-end", service.place("restart"), message, remedy)
    else:
        return replace(service, restart=Restart("none"))
    return service
