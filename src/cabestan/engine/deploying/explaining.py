"""Why services do not come up, in a sentence and in their own words; and what is seen of them meanwhile."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cabestan.adapters.tasks import Failure, ServiceState, StackState, TaskState
from cabestan.domain.container_words import ContainerWords, Listener
from cabestan.domain.outcome import exit_hint
from cabestan.domain.route import Route
from cabestan.domain.why import Why, last_lines

_NOTHING = ContainerWords()
_EXIT = re.compile(r"non-zero exit \((\d+)\)|exit code (\d+)")
_HEALTH_REMEDY = "It is asked within the container; healthcheck in the Compose file says what, how often, from when on."
_MEMORY_REMEDY = "Raise deploy.resources.limits.memory, or use less."
#: seconds are told so coarsely, so that what is told does not change all the time
_COARSE = 5
_BAD_GATEWAY = re.compile(r" answers 50[234]$")


def why_not_up(failure: Failure, environment: str, words: ContainerWords = _NOTHING) -> Why:
    """Of a service that will not come up there."""
    name = failure.service
    before = f"`cabestan logs -e {environment} {name}` shows what it said before." if words.output else ""
    # one that is stopped for its check may end without an error
    stopped = "unhealthy" in failure.words or (failure.task is not None and failure.task.state == "complete")
    if words.check and stopped:
        said = words.check.said or words.output
        return Why(f"{name} is not healthy: {_of_check(words)}", said, _HEALTH_REMEDY)
    if words.out_of_memory:
        return Why(f"{name} does not come up: it used more memory than it may.", words.output, _MEMORY_REMEDY)
    if failure.task and failure.task.state == "complete":
        return Why(f"{name} does not stay up: {failure.words}.", words.output, failure.remedy)
    if code := _exit_code(failure):
        ended = f"{name} does not come up: its container ended with exit code {code}."
        return Why(ended, words.output, exit_hint(code) or before)
    return Why(f"{name} does not come up: {failure.words}.", words.output, failure.remedy or before)


def _of_check(words: ContainerWords) -> str:
    check = words.check
    assert check
    asked = f": {check.asked}" if check.asked else "."
    return f"its health check was asked {_times(check.times)} and ended with exit code {check.exit_code}{asked}"


def _exit_code(failure: Failure) -> int:
    found = _EXIT.search(failure.words)
    told = int(found[1] or found[2]) if found else 0
    return told or (failure.task.exit_code if failure.task and not failure.words else 0) or 0


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def why_too_late(state: StackState, seconds: float, words: Mapping[str, ContainerWords], now: datetime) -> Why:
    """Of a stack of which nothing failed for good, and not all is healthy in time."""
    told = [words[service.name] for service in state.services if service.name in words]
    first = next((one for one in told if one.check or one.output), _NOTHING)
    lines = (first.check.said if first.check else ()) or first.output or _errors(state)
    remedy = "healthy_seconds sets the time; the page of the environment tells how its tasks do."
    return Why(f"Not healthy after {seconds:.0f} s: {so_far(state, words, now)}.", lines, remedy)


def _errors(state: StackState) -> tuple[str, ...]:
    """Swarm's words on tasks that did not start."""
    return last_lines(dict.fromkeys(task.error for service in state.services for task in service.tasks if task.error))


def so_far(state: StackState, words: Mapping[str, ContainerWords], now: datetime) -> str:
    """What is seen of a stack while it is watched: of the services that are not settled, else of all."""
    open_ones = [service for service in state.services if not service.settled]
    if not open_ones:
        return f"healthy: {state.progress}"
    return "; ".join(_so_far(service, words.get(service.name, _NOTHING), now) for service in open_ones)


def _so_far(service: ServiceState, words: ContainerWords, now: datetime) -> str:
    told = [f"{service.running} of {service.replicas} tasks healthy"]
    if starting := unsettled(service):
        oldest = min(task.moment for task in starting)
        told.append(f"{len(starting)} {starting[0].state} for {_coarse((now - oldest).total_seconds())} s")
    if ended := [task for task in service.tasks if task.current and task.state in ("failed", "rejected", "complete")]:
        told.append(f"{len(ended)} ended{f' ({ended[0].error})' if ended[0].error else ''}")
    if words.check:
        last = f": {words.check.said[-1]}" if words.check.said else f" (exit code {words.check.exit_code})"
        return f"{service.name}: {', '.join(told)}; health check failed {words.check.times} ×{last}"
    return f"{service.name}: {', '.join(told)}"


def unsettled(service: ServiceState) -> Sequence[TaskState]:
    """Its tasks that are on their way."""
    return [t for t in service.tasks if t.current and t.wanted == "running" and t.state not in ("running", "complete")]


def _coarse(seconds: float) -> int:
    return max(0, int(seconds) // _COARSE * _COARSE)


def why_not_routed(wrong: str, route: Route | None, listeners: Iterable[Listener] | None, seconds: float) -> Why:
    """`wrong` is what came when the route was asked; `listeners` is None where nobody can tell."""
    if route is None or listeners is None or not _BAD_GATEWAY.search(wrong):
        remedy = "Check traefik.port and what the service listens on; `cabestan route match` tells who answers."
        return Why(f"Not routed after {seconds:.0f} s: {wrong}.", (), remedy)
    there = tuple(listeners)
    return Why(f"{_at_port(route, there)}.", (f"{wrong}, asked for {seconds:.0f} s",), _port_remedy(route, there))


def _at_port(route: Route, there: Sequence[Listener]) -> str:
    at = f"{route.service} answers on nothing at port {route.port}"
    if Listener(route.port) in there:
        return f"{route.service} listens on port {route.port}, and gives the router no good answer there"
    outside = [str(one.port) for one in there if not one.inside]
    if Listener(route.port, inside=True) in there:
        return f"{at}, but for itself: it listens on 127.0.0.1:{route.port}, where the router does not reach it"
    if not there:
        return f"{at}; it listens nowhere"
    return f"{at}; it listens on {', '.join(outside or map(str, there))}"


def _port_remedy(route: Route, there: Sequence[Listener]) -> str:
    if Listener(route.port) in there:
        return "Its own output tells more; scheme of the route may be https where it wants TLS."
    if Listener(route.port, inside=True) in there:
        return "Have it listen on 0.0.0.0."
    return f"Set traefik.port to the port that it listens on, or have it listen on {route.port}."
