"""Run as a program: many followers of one job's log, which note when which byte had arrived, and print that as JSON.

What a follower notes is the number of the last byte that it has (the event's `id`) and the time: all lines of the job
have the same length, so that is enough to know later which lines it had when.
"""

import argparse
import asyncio
import json
import os
import re
import time

from bench.api import stream_request

_ID = re.compile(rb"(?:^|\n)id: (\d+)\n")
_END = b"event: end"

Notes = list[tuple[int, float]]


class Follower(asyncio.Protocol):
    """Reads as cheaply as can be: only whole events count, by their ids."""

    def __init__(self, request: bytes) -> None:
        self.notes: Notes = []
        self.done = asyncio.get_running_loop().create_future()
        self._request = request
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        whole, end, rest = (self._pending + data).rpartition(b"\n\n")
        self._pending = rest
        if end and (ids := _ID.findall(whole)):
            self.notes.append((int(ids[-1]), now))
        if _END in whole and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        if not self.done.done():
            self.done.set_result(None)


async def follow(port: int, path: str, token: str, count: int) -> list[Notes]:
    loop = asyncio.get_running_loop()
    request = stream_request(path, token)
    made = [await loop.create_connection(lambda: Follower(request), "127.0.0.1", port) for _ in range(count)]
    print("connected", flush=True)
    await asyncio.gather(*(follower.done for _, follower in made))
    return [follower.notes for _, follower in made]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    token = os.environ["BENCH_TOKEN"]
    print(json.dumps(asyncio.run(follow(given.port, given.path, token, given.count))))


if __name__ == "__main__":
    main()
