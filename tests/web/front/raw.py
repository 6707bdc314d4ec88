"""Bare connections, as no client would have them."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import urlsplit


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), 20)


def head(*lines: str, path: str = "/api/v1/status", method: str = "GET") -> bytes:
    """Of a request that is answered; its end is still missing."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "")).encode()


def answer(connection: socket.socket) -> bytes:
    """All until the server closes, or has sent one answer of a known length."""
    said = b""
    with suppress(ConnectionResetError, TimeoutError):
        while not whole(said) and (piece := connection.recv(65536)):
            said += piece
    return said


def whole(said: bytes) -> bool:
    start, found, body = said.partition(b"\r\n\r\n")
    length = next((line for line in start.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":-1")
    return bool(found) and len(body) == int(length.partition(b":")[2])


def status(said: bytes) -> int:
    """0 where nothing was said."""
    return int(said.split(None, 2)[1]) if said else 0


def closed(connection: socket.socket, seconds: float = 10) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
