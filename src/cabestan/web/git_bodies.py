"""The bodies of Git's requests: inflated, counted and timed here, before Git reads a byte of them."""

import asyncio
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import IO

from fastapi import Request

from cabestan.adapters.pkt_lines import FLUSH, LENGTH_BYTES, Commands, content_length
from cabestan.errors import DeadlineExceeded, Invalid, TooLarge

#: the list of commits that a fetch wants and has
FETCH_BYTES = 4 * 1024 * 1024
#: the list of the refs that a push moves
COMMAND_BYTES = 512 * 1024
#: its lines: refs, and the ends of a clone without all commits
COMMAND_LINES = 10_000
#: of one push, `-o`
PUSH_OPTIONS = 20
#: how long the sender may take for the next byte, and for the list of a fetch or of a push
IDLE_SECONDS, LIST_SECONDS = 30.0, 60.0
_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_NOT_PACKED = Invalid("The request is not packed as it says.", "Send it again.")
_NO_GIT = Invalid("This is not what Git sends.", "Use git, or write what its protocol says.")


class Body:
    """A request's body, piece by piece. Raises Invalid for what is not understood, DeadlineExceeded for a slow sender,
    ClientDisconnect for one that is gone.
    """

    def __init__(self, request: Request) -> None:
        self._pieces = self._inflated(request)
        self._left = bytearray()

    async def rest(self) -> AsyncIterator[bytes]:
        """All that has not been read yet."""
        if self._left:
            left, self._left = bytes(self._left), bytearray()
            yield left
        async for piece in self._pieces:
            yield piece

    async def exactly(self, count: int) -> bytes:
        """Fewer at the end of the body."""
        while len(self._left) < count and (piece := await anext(self._pieces, b"")):
            self._left += piece
        taken = bytes(self._left[:count])
        del self._left[:count]  # which moves the beginning, and copies nothing
        return taken

    async def _inflated(self, request: Request) -> AsyncIterator[bytes]:
        encoding = request.headers.get("content-encoding", "").lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise Invalid("The request's encoding is not known.", "Send it with gzip, or as it is.")
        inflater = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
        stream = request.stream()
        while chunk := await _next(stream):
            for piece in _pieces(inflater, chunk) if inflater else (chunk,):
                yield piece
        if inflater and not inflater.eof:
            raise _NOT_PACKED


def _pieces(inflater: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """Never more at a time than asked for, however much there is in the chunk."""
    more = True
    while more and not inflater.eof:
        try:
            piece = inflater.decompress(chunk, _CHUNK)
        except zlib.error as error:
            raise _NOT_PACKED from error
        if piece:
            yield piece
        chunk = inflater.unconsumed_tail
        more = bool(chunk) or len(piece) == _CHUNK


async def _next(stream: AsyncIterator[bytes]) -> bytes:
    """The next piece that is not empty; empty at the end."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            while not (piece := await anext(stream, None)):
                if piece is None:
                    return b""
            return piece
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"Nothing came for {IDLE_SECONDS:.0f} s.", "Try again over a connection that is well."
        ) from error


async def stored(body: Body, most: int = FETCH_BYTES) -> IO[bytes]:
    """The whole body in a file without a name, from its start, so that who is slow holds no process meanwhile."""
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        try:
            async with asyncio.timeout(LIST_SECONDS):
                async for piece in body.rest():
                    file.write(piece)
                    _check_size(file.tell(), most)
        except TimeoutError as error:
            raise DeadlineExceeded("The request took too long to come.", "Try again.") from error
        file.seek(0)
        stack.pop_all()
    return file


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise TooLarge("The list of what is wanted and there is too long.", f"It has at most {most} bytes.")


def _check_commands(commands: Commands, lines: int, size: int) -> None:
    if size > COMMAND_BYTES:
        raise TooLarge(f"The names of what this push moves have more than {COMMAND_BYTES} bytes.", "Push in parts.")
    if len(commands.options) > PUSH_OPTIONS:
        raise TooLarge(f"This push has more than {PUSH_OPTIONS} options (-o).", "There is one: no-follow.")
    if lines > COMMAND_LINES:
        raise TooLarge(
            f"This push begins with more than {COMMAND_LINES} lines.",
            "Push in parts; from a clone without all commits, run git fetch --unshallow first.",
        )


async def read_commands(body: Body, most: int, into: Commands | None = None) -> tuple[bytes, Commands]:
    """What a push begins with, as it came and as it is meant: refs, then options where there are to be any. It stops at
    the first ref too many. Every line of it has something in it: the marks 0001 to 0003, and what is empty, end the
    list for Git in other places than here. `into` has what was read also where it is refused, which that is told by.

    Raises Invalid, TooLarge, DeadlineExceeded.
    """
    commands, raw, lines = into or Commands(), bytearray(), 0
    try:
        async with asyncio.timeout(LIST_SECONDS):
            for take in (commands.take, commands.take_option):
                while len(commands.refs) <= most and (line := await _line(body, raw)) is not None:
                    take(line)
                    lines += 1
                    _check_commands(commands, lines, len(raw))
                if not commands.has_options:
                    break
    except TimeoutError as error:
        raise DeadlineExceeded("The list of what this push moves took too long to come.", "Try again.") from error
    return bytes(raw), commands


async def _line(body: Body, raw: bytearray) -> bytes | None:
    """The next one, which `raw` gets as it came; None at the end of the list. Raises Invalid."""
    head = await body.exactly(LENGTH_BYTES)
    raw += head
    if head == FLUSH or not head:
        return None
    length = content_length(head)
    if not length:
        raise _NO_GIT
    line = await body.exactly(length)
    raw += line
    return line
