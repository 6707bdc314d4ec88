"""What people do to what is deployed: restart, stop, start, scale; and what of it later deployments keep."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

#: as many as a Compose file may ask for
MOST_REPLICAS = 100


class ActionKind(StrEnum):
    """What is done to an environment in one turn of its queue."""

    #: a release is put there
    DEPLOY = "deploy"
    #: its containers are replaced, one after the other
    RESTART = "restart"
    #: nothing of it is to run, until it is started
    STOP = "stop"
    #: what was stopped runs again
    START = "start"
    #: another number of replicas than the Compose file's
    SCALE = "scale"


#: services with the number of replicas that each is to have; None for the Compose file's own
Numbers = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Kept:
    """What people have stopped and scaled in an environment: it holds until they say otherwise, deployments keep it."""

    #: the environment as a whole, with services that come later
    everything: bool = False
    stopped: tuple[str, ...] = ()
    replicas: tuple[tuple[str, int], ...] = ()

    def wanted(self, service: str, own: int) -> int:
        """How many replicas it is to have; `own` is the Compose file's number."""
        return 0 if self.stops(service) else dict(self.replicas).get(service, own)

    def stops(self, service: str) -> bool:
        return self.everything or service in self.stopped

    def stop(self, services: Collection[str]) -> "Kept":
        """Those services, or the whole environment where none is named."""
        if not services:
            return replace(self, everything=True, stopped=())
        return replace(self, stopped=_sorted({*self.stopped, *services}))

    def start(self, services: Collection[str], present: Collection[str]) -> "Kept":
        """Of an environment that is stopped as a whole, all others that are `present` stay stopped."""
        if not services:
            return replace(self, everything=False, stopped=())
        stopped = present if self.everything else self.stopped
        return replace(self, everything=False, stopped=_sorted(set(stopped) - set(services)))

    def scale(self, numbers: Numbers, present: Collection[str]) -> "Kept":
        """No replicas is a stop, a number starts, and None takes back the number that was set."""
        none = [name for name, number in numbers if number == 0]
        some = {name: number for name, number in numbers if number}
        back = {name for name, number in numbers if number is None}
        kept = self.start(some, present) if some else self
        kept = kept.stop(none) if none else kept
        left = {name: number for name, number in kept.replicas if name not in back}
        return replace(kept, replicas=tuple(sorted((left | some).items())))


NOTHING_KEPT = Kept()


def keeping(
    kept: Kept, kind: ActionKind, services: Collection[str], numbers: Numbers, present: Collection[str]
) -> Kept:
    """What is kept after it; the same where it is done twice. `present` are the services that are deployed."""
    match kind:
        case ActionKind.STOP:
            return kept.stop(services)
        case ActionKind.START:
            return kept.start(services, present)
        case ActionKind.SCALE:
            return kept.scale(numbers, present)
    return kept


def kept_words(kept: Kept, environment: str, own: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """Service and sentence, of each that a deployment leaves otherwise than the Compose file says, with the way out.

    `own` has the file's number of each service that is deployed.
    """
    if kept.everything:
        text = f"{environment} is kept stopped; start it with `cabestan start -e {environment}`"
        return ((environment, text),)
    found = ((name, _kept_word(kept, environment, name, number)) for name, number in own.items())
    return tuple((name, text) for name, text in found if text)


def _kept_word(kept: Kept, environment: str, name: str, own: int) -> str:
    wanted = kept.wanted(name, own)
    if kept.stops(name):
        return f"service {name} is kept stopped; start it with `cabestan start -e {environment} {name}`"
    if wanted == own:
        return ""
    said = f"the Compose file says {own}; `cabestan scale -e {environment} {name}=` goes back to that"
    return f"service {name} is kept at {replicas_words(wanted)} ({said})"


def replicas_words(number: int) -> str:
    return "1 replica" if number == 1 else f"{number} replicas"


def _sorted(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
