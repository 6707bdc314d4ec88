"""A network that never changes: Chromium gives up what it loads when its machine gets or loses another network, as for
each container of the tests beside.
"""

import ctypes
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_OF_THE_NETWORK = 0x40000000
_HOLDER = "ip link set lo up && echo ready && exec sleep infinity"


@dataclass(frozen=True)
class QuietNetwork:
    """A namespace that has nothing but its own loopback; a process holds it."""

    holder: int

    @property
    def path(self) -> str:
        return f"/proc/{self.holder}/ns/net"

    def listener(self, port: int) -> socket.socket:
        """A socket on a port of its loopback; a thread of this process may accept there like on any other."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._listen, port).result()

    def entering(self, program: str, script: Path) -> Path:
        """Writes a script that runs the program in there."""
        script.write_text(f'#!/bin/sh\nexec nsenter --net={self.path} -- {shlex.quote(program)} "$@"\n')
        script.chmod(0o755)
        return script

    def _listen(self, port: int) -> socket.socket:
        """Only this thread moves there, and it ends."""
        with open(self.path) as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _OF_THE_NETWORK):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), self.path)
        return socket.create_server(("127.0.0.1", port))


@contextmanager
def quiet_network() -> Iterator[QuietNetwork]:
    command = ["unshare", "--net", "sh", "-c", _HOLDER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            said = holder.stdout.readline() if holder.stdout else ""
            assert said == "ready\n", "unshare makes no network: is this root?"
            yield QuietNetwork(holder.pid)
        finally:
            holder.kill()
