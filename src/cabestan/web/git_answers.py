"""Answers to Git's requests, which take their turn, run Git, and send what it says while it says it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import structlog
from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from cabestan.adapters import git_hooks
from cabestan.adapters.git_process import Limits
from cabestan.adapters.pkt_lines import (
    FLUSH,
    STILL_HERE,
    Commands,
    pkt_line,
    refusal,
    result_of,
    taken,
    tells_of_an_end,
    words,
)
from cabestan.errors import CabestanError, DeadlineExceeded, StepFailed, TooLarge
from cabestan.web.failures import status_of
from cabestan.web.git_backend import GitBackend, backend
from cabestan.web.git_bodies import COMMAND_BYTES, Body, read_commands, stored
from cabestan.web.git_places import Places
from cabestan.web.pushed import Pushed

#: how long a client may take to read the next piece
_IDLE_SECONDS = 60.0
#: a client that is told early goes on sending for a moment: without that, it might not read what it is told
_DRAIN_SECONDS = 5.0
_RESULT_TYPE = "application/x-git-{}-result"
_log = structlog.get_logger(__name__)
_NOT_STORED = "Nothing of this push was stored."


@dataclass(frozen=True)
class Call:
    """What is asked of Git, for whom, and within which bounds."""

    request: Request
    project_id: int
    project: str
    user: str
    environment: dict[str, str]
    places: Places
    limits: Limits
    seconds: int
    push_bytes: int


class _Answer(Response):
    """Sent by `_serve`, within the time that Git's requests have. What goes wrong before the first byte is told."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        sending = _Sending(send)
        try:
            async with asyncio.timeout(self._call.seconds):
                await self._serve(sending)
            await self._go_on(sending)
        except ClientDisconnect:
            return
        except (CabestanError, TimeoutError) as error:
            if not sending.started:
                await self._tell(sending, _as_ours(error, self._call.seconds))

    async def _serve(self, sending: "_Sending") -> None:
        raise NotImplementedError

    async def _go_on(self, sending: "_Sending") -> None:
        """When Git has ended, and its place is somebody else's."""
        await sending.end()

    async def _tell(self, sending: "_Sending", error: CabestanError) -> None:
        """As plain text, which Git shows its user where it asks for refs."""
        answer = PlainTextResponse(f"{error}\n", status_of(error), {"Connection": "close"})
        await answer(self._call.request.scope, self._call.request.receive, sending.raw)


class _Sending:
    """Sends one answer; a client that reads nothing for a while ends it."""

    def __init__(self, send: Send) -> None:
        self.raw = send
        self.started = False

    async def start(self, status: int, headers: dict[str, str]) -> None:
        self.started = True
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.raw({"type": "http.response.start", "status": status, "headers": raw})

    async def more(self, body: bytes) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(_IDLE_SECONDS):
            await self.raw({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        await self.raw({"type": "http.response.body", "body": b"", "more_body": False})


class Refs(_Answer):
    """Where branches and tags stand, which every clone, fetch and push begins with."""

    async def _serve(self, sending: _Sending) -> None:
        await _read(self._call, sending, asyncio.subprocess.DEVNULL)


class Fetch(_Answer):
    """The list of what is wanted is there before Git runs: who sends it slowly holds no process."""

    async def _serve(self, sending: _Sending) -> None:
        with await stored(Body(self._call.request)) as wanted:
            await _read(self._call, sending, wanted)

    async def _tell(self, sending: _Sending, error: CabestanError) -> None:
        """As Git's own: it shows these words, and not those of an answer with an error's status."""
        await sending.start(200, _headers("upload-pack"))
        await sending.more(pkt_line(b"ERR " + str(error).encode()[:900]))
        await sending.end()


class Push(_Answer):
    """Refs and bytes are counted before Git sees them. One that is whole is stored, whether or not somebody listens.

    What ends the answer is kept until its author has been told what comes of it.
    """

    def __init__(self, call: Call, pushed: Pushed) -> None:
        super().__init__(call)
        self._pushed = pushed
        self._body = Body(call.request)
        self._commands = Commands()
        #: of Git, as far as it has come
        self._result = bytearray()
        self._last = b""

    async def _serve(self, sending: _Sending) -> None:
        call, most = self._call, git_hooks.MOST_REFS
        raw, _ = await read_commands(self._body, most, self._commands)
        if len(self._commands.refs) > most:
            raise TooLarge(
                f"This push to {call.project} moves more than {most} branches and tags.",
                f"{_NOT_STORED} Push them in several parts.",
            )
        await asyncio.to_thread(self._pushed.look_before)
        async with (
            call.places.taken(call.project_id, call.user),
            backend(call.environment, call.limits, asyncio.subprocess.PIPE) as git,
        ):
            await self._store(sending, git, raw)

    async def _store(self, sending: _Sending, git: GitBackend, raw: bytes) -> None:
        with _beside(git.feed(self._counted(raw)), git) as feeding:
            status, headers = await git.head()
            await sending.start(status, headers | {"Connection": "close", "X-Accel-Buffering": "no"})
            async for packet, content in git.packets():
                if feeding.done() and feeding.exception():
                    continue
                if tells_of_an_end(content):
                    await _unless_idle(sending, b"".join(words(_ended_early(self._call))))
                await self._hand_on(sending, packet, content)
            await git.done()
            await asyncio.wait([feeding], timeout=_DRAIN_SECONDS)
            if feeding.done() and (error := feeding.exception()):
                self._last = b""
                await self._refuse(sending, error)

    async def _hand_on(self, sending: _Sending, packet: bytes, content: bytes) -> None:
        """All but the last one, if it is the mark of the end."""
        former, self._last = self._last, packet if packet == FLUSH else b""
        await _unless_idle(sending, former + packet.removesuffix(self._last))
        if len(self._result) < COMMAND_BYTES:
            self._result += result_of(content)

    async def _go_on(self, sending: _Sending) -> None:
        """Tells what comes of it while the client listens, and the server runs."""
        moved = taken(bytes(self._result))
        if self._last and self._commands.in_bands and moved:
            await self._follow(sending, moved)
        await _unless_idle(sending, self._last)
        await sending.end()

    async def _follow(self, sending: _Sending, moved: tuple[str, ...]) -> None:
        """Raises ClientDisconnect."""
        telling = asyncio.create_task(self._tell_on(sending, moved))
        gone = asyncio.create_task(_gone(self._call.request))
        try:
            await asyncio.wait({telling, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ClientDisconnect
        except asyncio.CancelledError:  # the server is being stopped
            await _unless_idle(sending, b"".join(words(self._pushed.stopped())) + FLUSH)
            await sending.end()
            raise
        finally:
            telling.cancel()
            gone.cancel()
            await asyncio.wait({telling, gone})

    async def _tell_on(self, sending: _Sending, moved: tuple[str, ...]) -> None:
        commits = {ref: commit for ref, commit in self._commands.wanted.items() if ref in moved}
        try:
            async with aclosing(self._pushed.lines(commits, self._commands.options)) as told:
                async for lines in told:
                    await _unless_idle(sending, b"".join(words(lines)) or STILL_HERE)
        except Exception as error:  # whatever it is: the push is stored, and is answered
            _log.exception("what comes of a push could not be told", project=self._call.project)
            lines = [f"What comes of this push cannot be told just now ({type(error).__name__}). The push is stored."]
            await _unless_idle(sending, b"".join(words(lines)))

    async def _counted(self, raw: bytes) -> AsyncIterator[bytes]:
        yield raw
        size = 0
        async for piece in self._body.rest():
            size += len(piece)
            if size > self._call.push_bytes:
                raise _over(self._call)
            yield piece

    async def _tell(self, sending: _Sending, error: CabestanError) -> None:
        """With the status that lets Git read on: it is told that nothing was stored, and its user why."""
        await sending.start(200, _headers("receive-pack"))
        await self._refuse(sending, error)
        await sending.end()

    async def _refuse(self, sending: _Sending, error: BaseException) -> None:
        if not isinstance(error, CabestanError):
            return
        lines = [error.message, *filter(None, error.remedy.split("\n"))]
        await sending.more(refusal(self._commands, lines))
        with suppress(TimeoutError, CabestanError, ClientDisconnect):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in self._body.rest():
                    pass


async def _read(call: Call, sending: _Sending, stdin: IO[bytes] | int) -> None:
    """What Git reads for a client is of no use once that is gone, or takes nothing more."""
    async with call.places.taken(call.project_id, call.user), backend(call.environment, call.limits, stdin) as git:
        with _beside(_until_gone(call.request), git):
            status, headers = await git.head()
            await sending.start(status, headers)
            async for chunk in git.chunks():
                await sending.more(chunk)


@contextmanager
def _beside(work: Coroutine[None, None, None], git: GitBackend) -> Iterator[asyncio.Task[None]]:
    """Goes on beside the block, at most as long. Where it fails, Git is stopped, and that is why it says nothing."""

    async def stop_on_failure() -> None:
        try:
            await work
        except BaseException:
            git.stop()
            raise

    task = asyncio.create_task(stop_on_failure())
    try:
        yield task
    except StepFailed as error:
        raise (task.exception() if task.done() else None) or error from error
    finally:
        task.cancel()


async def _until_gone(request: Request) -> None:
    """Raises ClientDisconnect."""
    await _gone(request)
    raise ClientDisconnect


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _unless_idle(sending: _Sending, body: bytes) -> None:
    with suppress(TimeoutError):
        await sending.more(body)


def _headers(service: str) -> dict[str, str]:
    return {"Content-Type": _RESULT_TYPE.format(service), "Cache-Control": "no-cache", "Connection": "close"}


def _over(call: Call) -> TooLarge:
    return TooLarge(
        f"This push to {call.project} has more than {call.push_bytes} bytes (the setting push_bytes).",
        f"{_NOT_STORED} Push fewer commits at a time, leave out large files (.gitignore), or have the administrator "
        "raise push_bytes.",
    )


def _ended_early(call: Call) -> tuple[str, ...]:
    limits = call.limits
    return (
        f"Git could not take this push to {call.project}: it is damaged, where Git says so, or needs more memory than "
        f"{limits.memory_bytes} bytes (git_memory_bytes) or more than {limits.processor_seconds} s of the processor "
        "(git_processor_seconds).",
        f"{_NOT_STORED} Push smaller files, fewer at a time, or have the administrator raise these settings.",
    )


def _as_ours(error: Exception, seconds: int) -> CabestanError:
    if isinstance(error, CabestanError):
        return error
    return DeadlineExceeded(f"This took more than {seconds} s (the setting git_seconds).", "Try with less at a time.")
