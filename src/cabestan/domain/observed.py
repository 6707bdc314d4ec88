"""How what was deployed does now: what its containers are seen to do, and what that amounts to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cabestan.domain.why import Why, last_lines

#: a service whose containers ended so often within that time ends again and again
LOOPING_ENDS = 3
LOOPING_WITHIN = timedelta(minutes=2)
#: how a container ended that its engine took away for want of memory
OUT_OF_MEMORY = "it used more memory than it may"


class Condition(StrEnum):
    """Of a service and of an environment."""

    SERVING = "serving"
    DEGRADED = "degraded"
    DOWN = "down"
    #: nothing is wanted to run
    STOPPED = "stopped"
    #: nobody can tell, for the engine is away
    UNKNOWN = "unknown"


_WHAT_TO_DO = "`cabestan rollback` brings the release before back."
#: nobody needs to do anything
WELL = (Condition.SERVING, Condition.STOPPED)


@dataclass(frozen=True)
class LastExit:
    """How a container ended last that should have gone on. `code` is None where it never started.

    `why` is in the words of who ended it, empty where it ended by itself; `words` are its own last ones.
    """

    at: datetime
    code: int | None
    why: str = ""
    words: str = ""
    #: of its task, which tells one end from another
    task: str = ""

    @property
    def out_of_memory(self) -> bool:
        return OUT_OF_MEMORY in self.why

    @property
    def sentence(self) -> str:
        """`exit code 1`, `exit code 137, it used more memory than it may`."""
        code = f"exit code {self.code}" if self.code is not None else "it did not start"
        return f"{code}, {self.why}" if self.why else code


@dataclass(frozen=True)
class SeenService:
    """`restarts` counts the containers that ended, and should not have, in the last `LOOPING_WITHIN`.

    `routed`: requests from outside lead to it. `update` is Swarm's word on a rolling update, empty where there is none.
    """

    name: str
    condition: Condition
    wanted: int
    running: int
    restarts: int = 0
    last_exit: LastExit | None = None
    routed: bool = False
    update: str = ""
    #: ids of those that its containers run on
    nodes: tuple[str, ...] = ()
    #: what is wrong with the answers of routes that lead to it, although it runs
    unanswered: tuple[str, ...] = ()
    #: how many bytes of it each of its containers may use; 0 for as many as there are
    memory: int = 0

    @property
    def loops(self) -> bool:
        return self.restarts >= LOOPING_ENDS

    @property
    def why(self) -> Why:
        """Of one that is not well: how it does, what its container said last, and what to do."""
        last = self.last_exit
        said = last_lines(last.words) if last and not self.unanswered else ()
        return Why(f"{self.name} is {self.condition}: {self.sentence}.", said, _WHAT_TO_DO)

    @property
    def sentence(self) -> str:
        """`1 of 3 run`, `0 of 1 run, restarted 4 × in 2 minutes, exit code 1`."""
        parts = [f"{self.running} of {self.wanted} run"]
        if self.restarts:
            parts.append(f"restarted {self.restarts} × in {LOOPING_WITHIN // timedelta(minutes=1)} minutes")
        if self.last_exit and (self.restarts or self.condition is Condition.DOWN):
            parts.append(self.last_exit.sentence)
        if self.unanswered:
            parts.append(f"but {'; '.join(self.unanswered)}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Seen:
    """Of an environment, since when it is so. `trouble` says why nobody can tell, where that is so."""

    condition: Condition
    since: datetime
    services: tuple[SeenService, ...] = ()
    trouble: str = ""

    @property
    def unwell(self) -> tuple[SeenService, ...]:
        return tuple(service for service in self.services if service.condition not in WELL)


def shown(deployed: bool, seen: Seen | None) -> str:
    """Of an environment, in one word. What was just deployed was seen to serve by its deployment."""
    if not deployed:
        return "empty"
    return seen.condition if seen else Condition.SERVING


def service_condition(wanted: int, running: int, restarts: int) -> Condition:
    """One that starts again and again is not well, also while it runs for a moment."""
    if not wanted:
        return Condition.STOPPED
    if not running:
        return Condition.DOWN
    return Condition.SERVING if running >= wanted and restarts < LOOPING_ENDS else Condition.DEGRADED


def with_answers(service: SeenService, wrong: tuple[str, ...], *, none: bool) -> SeenService:
    """As its routes have it: `wrong` says what is not right with their answers, `none` that this is so of all.

    Where nothing of it runs, that is reason enough.
    """
    if not service.wanted or not service.running or not wrong:
        return service
    return replace(service, condition=Condition.DOWN if none else Condition.DEGRADED, unanswered=wrong)


def condition_of(services: Iterable[SeenService]) -> Condition:
    """Of an environment: down where nothing runs, or nothing of what requests lead to."""
    there = [service for service in services if service.condition is not Condition.STOPPED]
    if not there:
        return Condition.STOPPED
    telling = [service for service in there if service.routed] or there
    if all(service.condition is Condition.DOWN for service in telling):
        return Condition.DOWN
    well = all(service.condition is Condition.SERVING for service in there)
    return Condition.SERVING if well else Condition.DEGRADED
