"""What an engine tells of a container, as values."""

import shlex
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import takewhile
from typing import Any

from cabestan.domain.container_words import ContainerWords, FailedCheck, Listener
from cabestan.domain.why import last_lines

#: what tells where a container listens, in it; an image without `cat` does not
LISTENING = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
_LISTENS = "0A"
#: at which Docker itself answers for names, within each container
_DOCKER = ip_address("127.0.0.11")
_SAID_LINES = 6


def parse_words(found: Mapping[str, Any], output: str) -> ContainerWords:
    """Of an answer of `GET /containers/ID/json`, and the end of its output."""
    state, config = found.get("State") or {}, found.get("Config") or {}
    test = (config.get("Healthcheck") or {}).get("Test") or ()
    return ContainerWords(last_lines(output), _check(state.get("Health") or {}, test), bool(state.get("OOMKilled")))


def _check(health: Mapping[str, Any], test: Sequence[str]) -> FailedCheck | None:
    """The engine calls every container unhealthy that it sees end, also where its last check was good."""
    log = health.get("Log") or []
    bad = list(takewhile(lambda entry: entry["ExitCode"], reversed(log)))
    if not bad or health.get("Status") == "healthy":
        return None
    said = last_lines(bad[0].get("Output") or "", _SAID_LINES)
    return FailedCheck(_asked(test), bad[0]["ExitCode"], max(len(bad), health.get("FailingStreak") or 0), said)


def _asked(test: Sequence[str]) -> str:
    """The command, without how Docker runs it."""
    kind, *words = test or ("",)
    return words[0] if kind == "CMD-SHELL" and words else shlex.join(words)


def parse_listeners(told: str) -> tuple[Listener, ...] | None:
    """Out of the kernel's tables of connections, without Docker's own; None where this is none of them."""
    if "local_address" not in told:
        return None
    rows = (line.split() for line in told.splitlines())
    found = [_listener(row[1]) for row in rows if len(row) > 3 and row[3] == _LISTENS]
    return tuple(sorted({one for one in found if one}))


def _listener(local: str) -> Listener | None:
    address, _, port = local.partition(":")
    at = _address(bytes.fromhex(address))
    return None if at == _DOCKER else Listener(int(port, 16), at.is_loopback)


def _address(raw: bytes) -> IPv4Address | IPv6Address:
    """The kernel writes each four bytes as one number, the lowest byte first."""
    at = ip_address(b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4)))
    return (at.ipv4_mapped if isinstance(at, IPv6Address) else None) or at
