"""How large a request's body may be. Git's requests are left alone: Git itself bounds a push."""

import re
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cabestan.errors import CabestanError, TooLarge

#: far more than the largest value of a variable takes as JSON
BODY_BYTES = 1024 * 1024
_GIT_PATH = re.compile(r"/[^/]+/[^/]+\.git/git-(?:upload|receive)-pack")


class BodyLimit:
    """Reads a body whole before anything else is done, and refuses one that is too large."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, CabestanError], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _GIT_PATH.fullmatch(scope["path"]) or not _has_body(scope):
            return await self._app(scope, receive, send)
        messages = await _read(scope, receive)
        if messages is None:
            error = TooLarge("The request is too large.", f"At most {BODY_BYTES} bytes are taken.")
            return await self._refuse(Request(scope), error)(scope, receive, send)
        left = iter(messages)

        async def replay() -> Message:
            return next(left, None) or await receive()

        return await self._app(scope, replay, send)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return not names.isdisjoint({b"content-length", b"transfer-encoding"})


async def _read(scope: Scope, receive: Receive) -> list[Message] | None:
    """All messages of the body; None as soon as it is too large."""
    if int(dict(scope["headers"]).get(b"content-length", 0)) > BODY_BYTES:
        return None
    messages: list[Message] = []
    size = 0
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if size > BODY_BYTES:
            return None
    return messages
