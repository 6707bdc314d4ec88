"""Places that threads wait for, which go round between the projects as those of a line do."""

import itertools
import threading
from contextlib import AbstractContextManager
from types import TracebackType

from cabestan.engine.turns.line import Line, Places, Turn


class Gate:
    """For the short part of a work that holds a thread anyway."""

    def __init__(self, at_once: int) -> None:
        self._line = Line(Places(at_once, each=at_once))
        self._moved = threading.Condition()
        self._numbers = itertools.count()

    def place(self, project: int) -> AbstractContextManager[object]:
        """May be entered again and again, one time after the other."""
        return _Place(self, Turn("gate", project))

    def enter(self, turn: Turn) -> str:
        """Waits for a place; the name under which it is taken."""
        with self._moved:
            name = str(next(self._numbers))
            self._line.ask(name, turn)
            self._admit()
            self._moved.wait_for(lambda: not self._line.waits(name))
        return name

    def leave(self, name: str) -> None:
        with self._moved:
            self._line.leave(name)
            self._admit()

    def _admit(self) -> None:
        while self._line.next():
            self._moved.notify_all()


class _Place(AbstractContextManager[object]):
    def __init__(self, gate: Gate, turn: Turn) -> None:
        self._gate, self._turn, self._name = gate, turn, ""

    def __enter__(self) -> object:
        self._name = self._gate.enter(self._turn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.leave(self._name)
