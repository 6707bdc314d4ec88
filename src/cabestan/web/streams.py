"""A log as server-sent events: from any byte to the last one, then as it grows.

    id: <offset after this event>
    event: log
    data: {"offset": <of its first byte>, "text": "..."}

and, when the job has ended and all was sent, `event: end` with `{"status": "..."}`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from cabestan.errors import Invalid
from cabestan.store.logs import LogHub, LogReader, Piece

#: bytes of the log in one event, at most
EVENT_BYTES = 256 << 10
#: a comment is sent after so long a silence (seconds), so that proxies keep the connection
KEEP_ALIVE = 15.0


def start_offset(last_event_id: str | None, asked: str | None, size: int) -> int:
    """Where to start: after the `Last-Event-ID`, else at the offset asked for, else at 0. Beyond the end
    means the end.

    Raises Invalid for anything but a whole number from 0 on.
    """
    given = last_event_id or asked or "0"
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise Invalid(
            f"{given[:40]!r} is not an offset in a log.", "Give a number of bytes from 0 on, or leave it out."
        )
    return min(int(given), size)


async def follow(log: LogReader, hub: LogHub, *, offset: int, ended: Callable[[], str | None]) -> AsyncIterator[bytes]:
    """The events from byte `offset` on, until the job has ended.

    `ended` gives the job's last status once nothing more is appended, None before; it must not block.
    """
    clock = asyncio.get_running_loop().time
    with hub.following(log.id) as channel:
        sent_at = clock()
        while True:
            seen, status = (
                channel.version,
                channel.status(ended),
            )  # the status first: what it says covers the size
            if offset < log.size():
                event, offset = await channel.piece((offset, status), _encoder(log, offset, status is not None))
                if event:
                    yield event
                    sent_at = clock()
                    continue
            elif status is not None:
                yield end_event(status)
                return
            await channel.wait(seen)
            if clock() - sent_at >= KEEP_ALIVE:
                yield b": still here\n\n"
                sent_at = clock()


def log_event(offset: int, data: bytes) -> bytes:
    """One event with the bytes `data` that lie at `offset`."""
    text = json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False)
    return f'id: {offset + len(data)}\nevent: log\ndata: {{"offset": {offset}, "text": {text}}}\n\n'.encode()


def end_event(status: str) -> bytes:
    return f"event: end\ndata: {json.dumps({'status': status})}\n\n".encode()


def cut(data: bytes, *, full: bool, final: bool) -> bytes:
    """What to send of `data`: up to the last line end when there is more (`full`), and whole characters only.

    `final`: nothing follows, so an unfinished character is sent too.
    """
    if full and (line_end := data.rfind(b"\n")) >= 0:
        return data[: line_end + 1]
    return data if final and not full else data[: len(data) - _unfinished(data)]


def _encoder(log: LogReader, offset: int, final: bool) -> Callable[[], Piece]:
    def encode() -> Piece:
        data = log.read(offset, EVENT_BYTES)
        data = cut(data, full=len(data) == EVENT_BYTES, final=final)
        return (log_event(offset, data) if data else b""), offset + len(data)

    return encode


def _unfinished(data: bytes) -> int:
    """How many bytes at the end of `data` begin a UTF-8 character that is not whole: 0 to 3."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if 0xC2 <= byte <= 0xF4:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
        if not 0x80 <= byte <= 0xBF:
            return 0
    return 0
