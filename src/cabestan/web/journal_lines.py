"""A line of an application, as it is told to programs."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cabestan.domain.journal import Line
from cabestan.store.journal import fields_of


def shape(line: Line) -> dict[str, Any]:
    """One line, as it is told."""
    source = line.source
    stream = "stderr" if line.error else "stdout"
    return {
        "number": line.number,
        "time": exact(line.time),
        "service": source.service,
        "replica": source.replica,
        "release": source.release or None,
        "kind": source.origin,
        "stream": stream,
        "continued": line.continued,
        "line": line.text.decode("utf-8", "replace"),
        "fields": fields_of(line.text) if line.text[:1] == b"{" else None,
    }


def exact(time: int) -> str:
    """`2026-11-30T23:13:12.123456789Z`."""
    second, rest = divmod(time, 10**9)
    return f"{_second(second)}.{rest:09}Z"


@lru_cache(maxsize=128)
def _second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
