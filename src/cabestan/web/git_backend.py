"""`git http-backend` as a process of this server: fed, read, and ended with all that it started."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import IO

from cabestan.adapters.git_backend import http_backend_command, parse_cgi_head
from cabestan.adapters.git_process import Limits
from cabestan.adapters.pkt_lines import LENGTH_BYTES, content_length
from cabestan.errors import StepFailed

_CHUNK = 64 * 1024
#: for Git to take away what it has half stored
_GRACE_SECONDS = 2.0


@asynccontextmanager
async def backend(
    environment: Mapping[str, str], limits: Limits, stdin: IO[bytes] | int
) -> AsyncIterator["GitBackend"]:
    """In a group of its own, which does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *http_backend_command(limits),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    running = GitBackend(process)
    try:
        yield running
    finally:
        await asyncio.shield(running.end())


class GitBackend:
    """What runs, as it is asked and answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers. Raises StepFailed where Git ends without."""
        assert self._process.stdout
        try:
            head = await self._process.stdout.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise StepFailed("Git gave no answer.", "Try again; the server's `cabestan doctor` tells more.") from error
        status, headers = parse_cgi_head(head)
        return status, dict(headers)

    async def feed(self, pieces: AsyncIterator[bytes]) -> None:
        """To the end of the pieces; Git may have enough before. What fails leaves Git without an end, to be stopped."""
        assert self._process.stdin
        async for piece in pieces:
            with suppress(BrokenPipeError, ConnectionResetError):
                self._process.stdin.write(piece)
                await self._process.stdin.drain()
        self._process.stdin.close()

    async def chunks(self) -> AsyncIterator[bytes]:
        assert self._process.stdout
        while chunk := await self._process.stdout.read(_CHUNK):
            yield chunk

    async def packets(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """Each with the bytes that it came as, and its content; what is no packet comes as chunks without content."""
        assert self._process.stdout
        try:
            while head := await self._process.stdout.readexactly(LENGTH_BYTES):
                length = content_length(head)
                if length is None:
                    yield head, b""
                    break
                content = await self._process.stdout.readexactly(length)
                yield head + content, content
        except asyncio.IncompleteReadError:
            return
        async for chunk in self.chunks():
            yield chunk, b""

    async def done(self) -> None:
        await self._process.wait()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """It and all that it started; does nothing where it has ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)

    async def end(self) -> None:
        self.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        self.stop(signal.SIGKILL)
        await self._process.wait()
