"""Ports for what the tests start."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

#: below those that the system gives to outgoing connections: none of them takes a port before its server listens
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000
_given: set[int] = set()


def free_port() -> int:
    """One that nobody listens on; this process gives it once, and another one hardly picks the same of so many."""
    ports = range(_LOWEST, max(_LOWEST + 1000, int(_RANGE.read_text().split()[0])))
    while True:
        port = secrets.choice(ports)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
