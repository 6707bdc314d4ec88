"""Who is connected. Whoever has not sent a whole request makes room for others, the longest silent first."""

from collections import Counter
from enum import Enum
from typing import Protocol


class Seat(Enum):
    """What a new connection gets."""

    #: as usual
    USUAL = "usual"
    #: of the reserve: answered if the request brings a good token or session
    RESERVED = "reserved"
    #: refused: its address has as many as it may
    ADDRESS_FULL = "address full"
    #: refused: the reserve is used up, too
    FULL = "full"


class Guest(Protocol):
    """A connection. It may be left twice."""

    address: str

    def send_away(self) -> None:
        """Closes it: the place is somebody else's already."""


class Crowd:
    """For one event loop; not for several threads."""

    def __init__(self, most: int, per_address: int, reserve: int, told: int) -> None:
        self._most, self._per_address, self._reserve, self._told_at_once = most, per_address, reserve, told
        self._guests: set[Guest] = set()
        self._of_address: Counter[str] = Counter()
        #: those that owe us a request or the rest of one, in the order in which they began to
        self._waiting: dict[Guest, None] = {}
        #: those that were refused, and read why
        self._told: set[Guest] = set()

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest) -> Seat:
        if self._of_address[guest.address] >= self._per_address and not self._make_room(guest.address):
            return Seat.ADDRESS_FULL
        if len(self._guests) >= self._most:
            self._make_room()
        if len(self._guests) >= self._most + self._reserve:
            return Seat.FULL
        self._guests.add(guest)
        self._of_address[guest.address] += 1
        self._waiting[guest] = None
        return Seat.USUAL if len(self._guests) <= self._most else Seat.RESERVED

    def leave(self, guest: Guest) -> None:
        self._told.discard(guest)
        if guest not in self._guests:
            return
        self._guests.discard(guest)
        self._waiting.pop(guest, None)
        self._of_address[guest.address] -= 1
        if not self._of_address[guest.address]:
            del self._of_address[guest.address]

    def works(self, guest: Guest) -> None:
        """Its request is being answered: it stays."""
        self._waiting.pop(guest, None)

    def waits(self, guest: Guest) -> None:
        """It was answered, and may ask more."""
        if guest in self._guests:
            self.works(guest)
            self._waiting[guest] = None

    def may_be_told(self, guest: Guest) -> bool:
        """Whether one that is refused may stay to read why; it has no seat any more."""
        self.leave(guest)
        if len(self._told) >= self._told_at_once:
            return False
        self._told.add(guest)
        return True

    def _make_room(self, address: str | None = None) -> bool:
        longest = next((guest for guest in self._waiting if address in (None, guest.address)), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.send_away()
        return True
