"""A port on the loopback address of another network namespace that leads to one of this machine."""

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

_NETWORK = 0x40000000  # CLONE_NEWNET
_PIECE = 65536


@contextmanager
def relay(namespace: str, port: int, at: int = 0) -> Iterator[int]:
    """Takes connections there until the block ends; gives the port that it takes them on, by default a free one."""
    with ThreadPoolExecutor(1) as pool:  # a thread alone changes its network, and ends with it
        listening = pool.submit(_listen_in, namespace, at).result()
    taking = threading.Thread(target=_take, args=(listening, port))
    taking.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        taking.join()
        listening.close()


def _listen_in(namespace: str, port: int) -> socket.socket:
    library = ctypes.CDLL(None, use_errno=True)
    with open(f"/var/run/netns/{namespace}") as there:
        if library.setns(there.fileno(), _NETWORK):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return socket.create_server(("127.0.0.1", port))


def _take(listening: socket.socket, port: int) -> None:
    with suppress(OSError):  # it is closed
        while True:
            near, _ = listening.accept()
            threading.Thread(target=_connect, args=(near, port), daemon=True).start()


def _connect(near: socket.socket, port: int) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
