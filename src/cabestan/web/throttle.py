"""How often a sign-in may fail."""

import ipaddress
import threading
import time
from collections import deque

from cabestan.errors import NotSignedIn

#: in a minute: of a name from a client
_FAILURES = 10
#: and of all names from all clients, where a password's hash was computed: each takes up to a third of a second
_HASHES = 60
_WINDOW_SECONDS = 60
#: names with clients whose failures are remembered; beyond, those whose first failure is the longest ago are forgotten
_REMEMBERED = 10_000
#: of an address in IPv6, what its network gives to one client alone
_CLIENT_BITS = 64


class Throttle:
    """Refuses further tries of a name from a client where it failed often in the last minute, and all tries when many
    hashes were computed in it.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], list[float]] = {}
        self._hashes: deque[float] = deque(maxlen=_HASHES)
        self._forgotten_at = time.monotonic()
        self._lock = threading.Lock()

    def begin(self, name: str, client: str, *, hashing: bool) -> None:
        """Counts a try as failed until it has succeeded: many that come at once are no more than one by one.

        Raises NotSignedIn.
        """
        now = time.monotonic()
        with self._lock:
            self._forget(now - _WINDOW_SECONDS)
            if self._closed(name, client, now - _WINDOW_SECONDS):
                raise NotSignedIn("Too many failed tries.", "Wait a minute, then try again, or use a token.")
            self._failures.setdefault((name, client), []).append(now)
            if hashing:
                self._hashes.append(now)
            if len(self._failures) > _REMEMBERED:
                del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str, client: str) -> None:
        with self._lock:
            self._failures.pop((name, client), None)

    def _closed(self, name: str, client: str, since: float) -> bool:
        failures = sum(at >= since for at in self._failures.get((name, client), ()))
        return failures >= _FAILURES or (len(self._hashes) == _HASHES and self._hashes[0] >= since)

    def _forget(self, since: float) -> None:
        """Of all names, once in a while: whoever tries many must not fill the memory."""
        if self._forgotten_at < since:
            self._forgotten_at = time.monotonic()
            kept = {key: [at for at in failures if at >= since] for key, failures in self._failures.items()}
            self._failures = {key: failures for key, failures in kept.items() if failures}


def client_at(address: str) -> str:
    """What one client has alone: an address in IPv4, a network in IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # none, as of a socket in the file system
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found), _CLIENT_BITS), strict=False))
