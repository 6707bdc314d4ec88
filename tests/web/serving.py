"""The real server, in a thread, on a free port of the loopback address."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from cabestan.web.front.bounds import Bounds
from cabestan.web.front.listening import options


@contextmanager
def serving(app: FastAPI, bounds: Bounds | None = None) -> Iterator[str]:
    """The address of the running server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, **options(bounds or Bounds()))
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert server.ready.wait(20)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Looks more often than the original whether it is to end: there are many tests."""
        while not self.should_exit:
            await asyncio.sleep(0.01)
