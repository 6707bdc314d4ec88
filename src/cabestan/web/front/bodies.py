"""What a request may bring: how large, how soon, what text. Git's packs are left alone: Git itself bounds a push."""

import asyncio
import re
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cabestan.errors import Busy, CabestanError, Invalid, TooLarge, TooSlow
from cabestan.web.front import texts
from cabestan.web.front.bounds import Bounds

_GIT_PATH = re.compile(r"/[^/]+/[^/]+\.git/git-(?:upload|receive)-pack")
#: a host name, or an address, with or without a port
_HOST = re.compile(rb"[A-Za-z0-9._-]*(?::[0-9]*)?|\[[0-9a-fA-F:.]+\](?::[0-9]*)?")
_FORM = b"application/x-www-form-urlencoded"
#: shows an error to whoever asked
Refuse = Callable[[Request, CabestanError], Response]


class Bodies:
    """Reads a body whole and checks all text, before anything else is done. `known`: whether somebody known asks."""

    def __init__(self, app: ASGIApp, bounds: Bounds, known: Callable[[Request], bool], refuse: Refuse) -> None:
        self._app, self._bounds, self._known, self._refuse = app, bounds, known, refuse
        #: bytes of bodies that are not answered yet
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = bytearray()
        try:
            return await self._answer(scope, receive, send, body)
        finally:
            self._held -= len(body)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, body: bytearray) -> None:
        try:
            self._check_head(scope)
            given = await self._given(scope, receive, body)
        except CabestanError as error:
            return await self._refuse(Request(scope), error)(scope, receive, send)
        return await self._app(scope, given, send) if given else None

    def _check_head(self, scope: Scope) -> None:
        """Raises Invalid."""
        if not _HOST.fullmatch(_header(scope, b"host")):
            raise Invalid("The header Host is no host name.", "Ask by the server's own address.")
        texts.check_path(scope.get("raw_path") or scope["path"].encode())
        texts.check_pairs(scope["query_string"], self._bounds.parameters, "parameter")

    async def _given(self, scope: Scope, receive: Receive, body: bytearray) -> Receive | None:
        """What the application reads from; None where the client has gone away. Raises as it says why."""
        if _GIT_PATH.fullmatch(scope["path"]):
            return _staying(scope, receive)
        if not _has_body(scope):
            return receive
        if not await self._read_in_time(scope, receive, body):
            return None
        self._check(_header(scope, b"content-type").lower(), bytes(body))
        message: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return message.pop() if message else await receive()

        return replay

    async def _read_in_time(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        try:
            async with asyncio.timeout(self._bounds.body_seconds):
                return await self._read(scope, receive, body)
        except TimeoutError as error:
            seconds = f"{self._bounds.body_seconds:.0f} seconds"
            raise TooSlow(f"The request did not come within {seconds}.", "Send it again, at once.") from error

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Whether it came to its end."""
        most = await self._most(scope, int(_header(scope, b"content-length") or 0))
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            more = message.get("more_body", False)
            self._take(message.get("body", b""), body)
            if len(body) > most:
                most = await self._most(scope, len(body))
        return True

    def _take(self, piece: bytes, body: bytearray) -> None:
        body += piece
        self._held += len(piece)
        if self._held > self._bounds.held_bytes:
            raise Busy("Too much is being sent to the server at the same time.", "Send it again in a moment.")

    async def _most(self, scope: Scope, size: int) -> int:
        """How large the body may be, which has so many bytes already. Raises TooLarge."""
        most = self._bounds.unknown_body_bytes
        if size > most and await asyncio.to_thread(self._known, Request(scope)):
            most = self._bounds.body_bytes
        if size > most:
            raise TooLarge("The request is too large.", f"At most {most} bytes are taken.")
        return most

    def _check(self, content_type: bytes, body: bytes) -> None:
        """Raises Invalid."""
        if content_type.startswith(b"multipart/"):
            raise Invalid("Forms of several parts are not read here.", f"Send the form as {_FORM.decode()}.")
        if content_type.partition(b";")[0].strip() == _FORM:
            texts.check_pairs(body, self._bounds.fields, "field")
        else:
            texts.check_json(body, self._bounds.json_depth)


class Reserve:
    """Of the connections beyond the bound, those are answered that bring a good token or session."""

    #: tell nothing of worth, and look at no database; or ask for a token of their own
    _ALWAYS = ("/api/v1/status", "/internal/")

    def __init__(self, app: ASGIApp, known: Callable[[Request], bool], refuse: Refuse) -> None:
        self._app, self._known, self._refuse = app, known, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope.get("state", {}).get("connection")
        if not connection or not connection.reserved or scope["path"].startswith(self._ALWAYS):
            return await self._app(scope, receive, send)
        if await asyncio.to_thread(self._known, Request(scope)):
            return await self._app(scope, receive, send)
        error = Busy("Too many connections are open.", "Try again in a moment.")
        return await self._refuse(Request(scope), error)(scope, receive, send)


def _staying(scope: Scope, receive: Receive) -> Receive:
    """A pack is read when its sender is known and may send it."""

    async def stay() -> Message:
        if connection := scope.get("state", {}).get("connection"):
            connection.stays()
        return await receive()

    return stay


def _header(scope: Scope, name: bytes) -> bytes:
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return not names.isdisjoint({b"content-length", b"transfer-encoding"})
