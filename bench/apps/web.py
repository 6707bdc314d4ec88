"""A small web application: HTTP/1.1 with keep-alive, in the standard library. Runs in a container, by `python3 -c`.

MODE=graceful: on SIGTERM it takes no more connections, closes the idle ones, finishes what it answers, and ends, as
common web servers do. MODE=abrupt: it dies at once, in the middle of whatever it does.
"""

import asyncio
import os
import signal
import time

PORT = 8000
GRACEFUL = os.environ.get("MODE", "graceful") == "graceful"
#: an answer takes so long (seconds), so that there is always one under way
WORK = 0.005


class Application:
    """The connections that are open, and whether it is about to end."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.ending = False

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), "", PORT, backlog=512)
        stopping = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopping.set if GRACEFUL else lambda: os._exit(1))
        await stopping.wait()
        self.ending = True
        server.close()
        for connection in [one for one in self.connections if not one.busy]:
            connection.transport.close()
        while self.connections:
            await asyncio.sleep(0.01)


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, application: Application) -> None:
        self.application = application
        self.pending = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.application.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.application.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.pending += data
        if b"\r\n\r\n" in self.pending:
            self.pending, self.busy = b"", True
            asyncio.get_running_loop().call_later(WORK, self.answer)

    def answer(self) -> None:
        keep = "close" if self.application.ending else "keep-alive"
        body = f"{os.environ.get('ROUND', '')} {time.time()}\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {keep}\r\n\r\n"
        self.transport.write((head + body).encode())
        self.busy = False
        if self.application.ending:
            self.transport.close()


if __name__ == "__main__":
    asyncio.run(Application().serve())
