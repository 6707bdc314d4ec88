"""In which order services start: each after those it depends on. Swarm itself knows no such order."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from cabestan.compose.findings import Report
from cabestan.compose.model import ComposeFile


def start_order(compose: ComposeFile) -> tuple[str, ...]:
    """The names of the services, dependencies first. Raises ComposeRefused for a circle."""
    report = Report(compose.file)
    check_order(report, compose)
    report.refuse_if_wrong()
    return tuple(_graph(compose).static_order())


def check_order(report: Report, compose: ComposeFile) -> None:
    """Reports dependencies that do not exist, and circles."""
    names = {service.name for service in compose.services}
    for service in compose.services:
        for dependency in service.depends_on:
            if dependency.required and dependency.service not in names:
                message = f"There is no service {dependency.service[:80]}."
                report.error("dependency", dependency.spot, message, "Add the service, or remove the dependency.")
    try:
        _graph(compose).prepare()
    except CycleError as error:
        _report_circle(report, compose, error.args[1])


def _graph(compose: ComposeFile) -> TopologicalSorter[str]:
    graph: TopologicalSorter[str] = TopologicalSorter()
    names = {service.name for service in compose.services}
    for service in compose.services:
        graph.add(service.name, *(d.service for d in service.depends_on if d.required or d.service in names))
    return graph


def _report_circle(report: Report, compose: ComposeFile, circle: list[str]) -> None:
    """`circle` begins and ends with the same service, each before the one that depends on it."""
    links = {(circle[index + 1], circle[index]) for index in range(len(circle) - 1)}
    for service in compose.services:
        for dependency in service.depends_on:
            if (service.name, dependency.service) in links:
                message = f"The services wait for each other: {' → '.join(reversed(circle))}."
                report.error("dependency-circle", dependency.spot, message, "Remove one of the dependencies.")
                return
