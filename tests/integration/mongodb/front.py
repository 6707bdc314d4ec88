"""A sign-in before a server that has none: what a client asks then goes to the server unchanged, so do answers."""

import socket
import socketserver
import struct
from contextlib import ExitStack
from typing import BinaryIO

import bson
from sign_in import LARGEST, Credentials, Document, Refused, Session

PORT, SERVER_PORT = 27017, 27018
_REPLY, _QUERY, _MESSAGE = 1, 2004, 2013
_NO_REPLY = 2  # the flag `moreToCome` of a message


def read(stream: BinaryIO) -> bytes:
    """A whole message; empty at the end."""
    head = stream.read(16)
    if len(head) < 16:
        return b""
    (length,) = struct.unpack_from("<i", head)
    if not 16 < length <= LARGEST:
        raise ValueError(f"a message of {length} bytes")
    return head + stream.read(length - 16)


def command_in(message: bytes) -> Document:
    """By OP_QUERY, without a database to ask, drivers only introduce themselves."""
    (opcode,) = struct.unpack_from("<12xi", message)
    if opcode == _QUERY:
        start = message.index(b"\0", 20) + 9
    elif opcode == _MESSAGE and message[20] == 0:
        start = 21
    else:
        raise ValueError("a message of another kind, or a compressed one")
    (length,) = struct.unpack_from("<i", message, start)
    return bson.decode(message[start : start + length])


def reply_to(message: bytes, document: Document) -> bytes:
    request, opcode = struct.unpack_from("<4xi4xi", message)
    body = bson.encode({"ok": 1.0, **document})
    if opcode == _QUERY:
        return struct.pack("<iiiiiqii", 36 + len(body), 1, request, _REPLY, 8, 0, 0, 1) + body
    return struct.pack("<iiiiIB", 21 + len(body), 1, request, _MESSAGE, 0, 0) + body


def ask(port: int, command: Document) -> Document:
    with socket.create_connection(("127.0.0.1", port), 10) as client, client.makefile("rwb") as stream:
        body = bson.encode(command)
        stream.write(struct.pack("<iiiiIB", 21 + len(body), 1, 0, _MESSAGE, 0, 0) + body)
        stream.flush()
        return command_in(read(stream))


class Handler(socketserver.StreamRequestHandler):
    server: "Front"

    def handle(self) -> None:
        session = Session(self.server.credentials)
        with ExitStack() as self._opened:
            self._beyond: BinaryIO | None = None
            while (message := read(self.rfile)) and (reply := self._reply(session, message)):
                if not _wants_no_reply(message):
                    self.wfile.write(reply)

    def _reply(self, session: Session, message: bytes) -> bytes:
        try:
            document = session.answer(command_in(message))
        except Refused as refused:
            document = refused.document
        return self._forward(message) if document is None else reply_to(message, document)

    def _forward(self, message: bytes) -> bytes:
        """nx-27017 replies also where no reply is wanted, and takes the flag that says so for that of a checksum."""
        if self._beyond is None:
            connection = self._opened.enter_context(socket.create_connection(("127.0.0.1", SERVER_PORT)))
            self._beyond = self._opened.enter_context(connection.makefile("rwb"))
        self._beyond.write(_without_flags(message) if _wants_no_reply(message) else message)
        self._beyond.flush()
        return read(self._beyond)


def _wants_no_reply(message: bytes) -> bool:
    opcode, flags = struct.unpack_from("<12xiI", message)
    return bool(opcode == _MESSAGE and flags & _NO_REPLY)


def _without_flags(message: bytes) -> bytes:
    return message[:16] + bytes(4) + message[20:]


class Front(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(("", PORT), Handler)
        self.credentials = credentials
