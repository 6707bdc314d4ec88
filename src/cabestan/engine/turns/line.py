"""The line before the places of one kind of work. Without threads or a clock: whoever uses it holds a lock."""

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Places:
    """So many at once, of which one project has at most `each`."""

    at_once: int
    each: int


@dataclass(frozen=True)
class Turn:
    """What somebody stands in line for, and as whom. Within a project the smallest `age` comes first."""

    kind: str
    project: int
    age: int = 0


def whose_turn(
    waiting: Iterable[int], running: Mapping[int, int], served: Mapping[int, int], places: Places
) -> int | None:
    """The project that gets the next place, of those that wait; None where nobody does.

    The one that has the fewest places; among equals, the one that was served longest ago. `running` counts each
    project's places, `served` tells when each got its last one (any number that grows).
    """
    if sum(running.values()) >= places.at_once:
        return None
    entitled = (project for project in waiting if running.get(project, 0) < places.each)
    return min(entitled, key=lambda one: (running.get(one, 0), served.get(one, 0), one), default=None)


@dataclass
class Line:
    """Names that wait, and those that have a place. A name stands in it once, however often it asks."""

    places: Places
    #: those that have a place, each with its project
    running: dict[str, int] = field(default_factory=dict)
    #: by project, the number of the turn in which it got its last place
    served: dict[int, int] = field(default_factory=dict)
    _waiting: dict[str, Turn] = field(default_factory=dict)
    _by_project: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._counter = itertools.count(max(self.served.values(), default=0) + 1)

    def waits(self, name: str) -> bool:
        return name in self._waiting

    def ask(self, name: str, turn: Turn) -> None:
        """For a place; one that waits or has one already changes nothing."""
        if name not in self._waiting and name not in self.running:
            self._waiting[name] = turn
            entry = (turn.age, next(self._counter), name)
            heapq.heappush(self._by_project.setdefault(turn.project, []), entry)

    def hold(self, name: str, turn: Turn) -> None:
        """It has a place, whether there was one or not: it ran before anybody stood here."""
        self.running[name] = turn.project

    def next(self) -> tuple[str, Turn] | None:
        """Gives a place to the one whose turn it is; None where nobody waits or all places are taken."""
        project = whose_turn(self._by_project, Counter(self.running.values()), self.served, self.places)
        if project is None:
            return None
        _age, _number, name = heapq.heappop(self._by_project[project])
        if not self._by_project[project]:
            del self._by_project[project]
        self.running[name] = project
        self.served[project] = next(self._counter)
        return name, self._waiting.pop(name)

    def leave(self, name: str) -> None:
        """Its place is free for the next one."""
        self.running.pop(name, None)
