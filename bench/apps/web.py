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


class Connection(asyncio.Protocol):
    opened: set["Connection"] = set()
    ending = False

    def connection_made(self, transport):
        self.transport, self.pending, self.busy = transport, b"", False
        Connection.opened.add(self)

    def connection_lost(self, error):
        Connection.opened.discard(self)

    def data_received(self, data):
        self.pending += data
        if b"\r\n\r\n" in self.pending:
            self.pending, self.busy = b"", True
            asyncio.get_running_loop().call_later(WORK, self.answer)

    def answer(self):
        keep = "close" if Connection.ending else "keep-alive"
        body = f"{os.environ.get('ROUND', '')} {time.time()}\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {keep}\r\n\r\n"
        self.transport.write((head + body).encode())
        self.busy = False
        if Connection.ending:
            self.transport.close()


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "", PORT, backlog=512)
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set if GRACEFUL else lambda: os._exit(1))
    await stopping.wait()
    Connection.ending = True
    server.close()
    for connection in [c for c in Connection.opened if not c.busy]:
        connection.transport.close()
    while Connection.opened:
        await asyncio.sleep(0.01)


asyncio.run(serve())
