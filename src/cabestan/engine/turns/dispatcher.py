"""Begins what has its turn, in a thread of its own: whoever asks never waits for that."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from cabestan.engine.alarm import Alarm
from cabestan.engine.repeating import Repeating
from cabestan.engine.turns.line import Line, Places, Turn

#: after an error, such as a database that does not answer
_AGAIN_SECONDS = 1.0
#: nothing is missed without it; it bounds what a fault in here could cost
_LOOK_SECONDS = 60.0
#: of what nobody gave places to
_FEW = Places(8, each=8)


#: starts it; False where it runs or ran already. It may raise NotNow.
Begin = Callable[[], bool]


class NotNow(Exception):
    """Nothing can be begun until `begin_again` is called, or somebody asks again."""


class Dispatcher:
    """What waits is a name in a line, not a thread. A restart asks again for all that waited: rows tell what it was."""

    def __init__(self, places: Mapping[str, Places]) -> None:
        self._lock = threading.Lock()
        self._lines = {kind: Line(of_kind) for kind, of_kind in places.items()}
        #: of all that wait or have a place
        self._kinds: dict[str, str] = {}
        self._begin: dict[str, Begin] = {}
        self._bell = Alarm()
        self._thread = Repeating("dispatcher", self._look, _LOOK_SECONDS, alarm=self._bell, again=_AGAIN_SECONDS)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nothing is begun any more after this."""
        self._thread.stop()

    def ask(self, name: str, turn: Turn, begin: Begin) -> None:
        """It begins when a place is free and it is its turn; once, however often this is asked."""
        with self._lock:
            if name not in self._kinds:
                self._line(turn.kind).ask(name, turn)
                self._kinds[name], self._begin[name] = turn.kind, begin
        self._bell.ring()

    def hold(self, name: str, turn: Turn) -> None:
        """It runs already."""
        with self._lock:
            self._line(turn.kind).hold(name, turn)
            self._kinds[name] = turn.kind

    def leave(self, name: str) -> None:
        """It has ended: its place is free."""
        with self._lock:
            if kind := self._kinds.pop(name, None):
                self._lines[kind].leave(name)
        self._bell.ring()

    def begin_again(self) -> None:
        """After something kept it from beginning anything."""
        self._bell.ring()

    def known(self) -> frozenset[str]:
        """All that wait or have a place."""
        with self._lock:
            return frozenset(self._kinds)

    def served(self, kind: str) -> dict[int, int]:
        """By project, a number that is the greater the later it got its last place."""
        with self._lock:
            return dict(self._line(kind).served)

    def waits(self, name: str) -> bool:
        with self._lock:
            return any(line.waits(name) for line in self._lines.values())

    def _line(self, kind: str) -> Line:
        return self._lines.setdefault(kind, Line(_FEW))

    def _look(self, _rang: bool) -> None:
        with suppress(NotNow):
            while not self._thread.stopped and self._begin_next():
                pass

    def _begin_next(self) -> bool:
        """False where nobody has a turn."""
        with self._lock:
            found = next((given for line in self._lines.values() if (given := line.next())), None)
        if not found:
            return False
        name, turn = found
        begin = self._begin.pop(name)
        try:
            runs = begin()
        except Exception:
            self._put_back(name, turn, begin)
            raise
        if not runs:
            self.leave(name)
        return True

    def _put_back(self, name: str, turn: Turn, begin: Begin) -> None:
        """In one go, so that it is known all the time. Without ringing: whoever rang meanwhile is heard after this."""
        with self._lock:
            self._line(turn.kind).leave(name)
            self._line(turn.kind).ask(name, turn)
            self._begin[name] = begin
