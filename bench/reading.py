"""Run as a program: many readers of lists at the same time, for some seconds; then says how long answers took, as JSON.

Each reader asks for the next list as soon as it has the last one, over a connection that is kept. Only the loopback
address is ever a target, and it ends by itself. The token is in the variable BENCH_TOKEN.
"""

import argparse
import asyncio
import json
import os
import time
from itertools import cycle
from typing import Any

from bench.figures import percentile
from bench.load import content_length

_TARGET = "127.0.0.1"
_LONGEST_SECONDS = 60


async def read(port: int, paths: list[str], token: str, until: float, seconds: list[float]) -> None:
    """Raises RuntimeError for any answer but 200."""
    reader, writer = await asyncio.open_connection(_TARGET, port)
    try:
        for path in cycle(paths):
            began = time.monotonic()
            if began >= until:
                return
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(content_length(head))
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"{path}: {head[:200]!r}")
            seconds.append(time.monotonic() - began)
    finally:
        writer.close()


async def main(port: int, readers: int, duration: float, paths: list[str]) -> dict[str, Any]:
    seconds: list[float] = []
    until = time.monotonic() + min(duration, _LONGEST_SECONDS)
    token = os.environ["BENCH_TOKEN"]
    turned = [paths[at % len(paths) :] + paths[: at % len(paths)] for at in range(readers)]
    await asyncio.gather(*(read(port, one, token, until, seconds) for one in turned))
    halves = {"half": percentile(seconds, 0.5), "most": percentile(seconds, 0.99), "slowest": max(seconds)}
    return {"answers": len(seconds), "per_second": len(seconds) / duration, **halves}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("readers", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("paths", nargs="+")
    given = parser.parse_args()
    print(json.dumps(asyncio.run(main(given.port, given.readers, given.seconds, given.paths))))
