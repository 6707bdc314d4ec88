"""What the router says of requests: which environment's they were, and a line for it."""

import json
import re
from collections.abc import Mapping
from typing import Any

#: what it tells of each, by its own names
FIELDS = ("ClientHost", "RequestMethod", "RequestHost", "RequestPath", "DownstreamStatus", "Duration", "RouterName")
_LONGEST_PATH = 1000


def environment_of(router: str, instance: str) -> int | None:
    """The number of the environment whose route it was, by the name that the router has for it."""
    found = re.match(rf"(?:down-)?{re.escape(instance)}-(\d+)-", router)
    return int(found[1]) if found else None


def parse_request(text: bytes) -> Mapping[str, Any] | None:
    """What it told of a request; None for all else that it says."""
    if not text.startswith(b"{") or b'"RouterName"' not in text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("RouterName"), str) else None


def line_of(request: Mapping[str, Any]) -> bytes:
    """As a line of JSON. A query is left out, for that is where secrets stand."""
    path, asked, _ = str(request.get("RequestPath", "")).partition("?")
    path = f"{path[:_LONGEST_PATH]}{'?…' if asked else ''}"
    method, host, status = (request.get(name) for name in ("RequestMethod", "RequestHost", "DownstreamStatus"))
    told = {
        "message": f"{status} {method} {host}{path}",
        "status": status,
        "method": method,
        "host": host,
        "path": path,
        "ms": round(request.get("Duration", 0) / 1e6, 1),
        "client": request.get("ClientHost"),
    }
    return json.dumps(told, ensure_ascii=False).encode(errors="replace")
