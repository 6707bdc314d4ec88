"""How the server listens: with descriptors for all connections that it takes, and its own bounds on them."""

import resource
from dataclasses import replace
from typing import Any

from cabestan.web.front.bounds import Bounds
from cabestan.web.front.connection import connection_class

#: enough for everything; more would only be looked through by whoever closes them all
_DESCRIPTORS = 65_536
#: kept for databases, logs, repositories, processes and the engine
_OTHER_DESCRIPTORS = 512


def fitting(wanted: Bounds, descriptors: int) -> Bounds:
    """Where the system gives few descriptors, fewer connections are taken than was wished for."""
    left = descriptors - _OTHER_DESCRIPTORS - wanted.reserve - wanted.told
    most = min(wanted.connections, max(wanted.reserve, left))
    return replace(wanted, connections=most, connections_per_address=min(wanted.connections_per_address, most))


def raise_descriptor_limit() -> int:
    """As far as the process may by itself; how many it then has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(soft, wanted)


def options(bounds: Bounds) -> dict[str, Any]:
    """For uvicorn."""
    return {
        "http": connection_class(bounds),
        "ws": "none",
        "timeout_keep_alive": bounds.idle_seconds,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
    }
