"""Run as a program: constant load on one route, until standard input ends; then says how it went, as JSON.

Open loop: each request has its time, however long the ones before take. Connections are kept alive, as browsers and
reverse proxies do. Only the loopback address is ever a target.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench.figures import percentile

_TARGET = "127.0.0.1"
_SECONDS = 15.0
#: failures told in full
_TOLD = 500

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Load:
    """`seconds` are those of the requests that were answered with 2xx, from the moment that each was due.

    `failures`: when each request was sent (seconds since 1970), and what went wrong.
    """

    port: int
    host: str
    trust: ssl.SSLContext
    method: str = "GET"
    sent: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)
    idle: list[Connection] = field(default_factory=list)

    async def run(self, rate: int, stopping: asyncio.Event) -> None:
        began = time.monotonic()
        tasks: set[asyncio.Task[None]] = set()
        while not stopping.is_set():
            due = began + self.sent / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.sent += 1
            task = asyncio.create_task(self._request(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks)

    async def _request(self, due: float) -> None:
        sent = time.time()
        try:
            status = await asyncio.wait_for(self._get(), _SECONDS)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.failures.append((sent, f"{type(error).__name__} {error}"))
            return
        if 200 <= status < 300:
            self.seconds.append(time.monotonic() - due)
        else:
            self.failures.append((sent, f"status {status}"))

    async def _get(self) -> int:
        connection = self.idle.pop() if self.idle else await self._connect()
        reader, writer = connection
        try:
            writer.write(f"{self.method} / HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: 0\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(content_length(head))
        except BaseException:
            writer.close()
            raise
        self.idle.append(connection)
        return int(head.split(None, 2)[1])

    async def _connect(self) -> Connection:
        return await asyncio.open_connection(_TARGET, self.port, ssl=self.trust, server_hostname=self.host)

    def report(self, began: float) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "rate": self.sent / (time.monotonic() - began),
            "failed": len(self.failures),
            "failures": self.failures[:_TOLD],
            "half": percentile(self.seconds, 0.5) if self.seconds else None,
            "most": percentile(self.seconds, 0.99) if self.seconds else None,
            "slowest": max(self.seconds, default=None),
        }


def content_length(head: bytes) -> int:
    """From the head of an answer; 0 where it names none."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def main(port: int, host: str, rate: int, root: str, method: str) -> None:
    trust = ssl.create_default_context(cafile=root)
    load, stopping, began = Load(port, host, trust, method), asyncio.Event(), time.monotonic()
    stdin = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    stdin.add_done_callback(lambda _: stopping.set())
    await load.run(rate, stopping)
    print(json.dumps(load.report(began)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("host")
    parser.add_argument("rate", type=int)
    parser.add_argument("root", help="a file with the root to trust")
    parser.add_argument("--method", default="GET")
    given = parser.parse_args()
    asyncio.run(main(given.port, given.host, given.rate, given.root, given.method))
