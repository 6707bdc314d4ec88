"""Lines of applications as server-sent events, from a number on, then as they are said.

id: <number to go on with>
event: lines
data: [{"number": 1, "time": "…", "service": "web", "line": "…", …}, …]
"""

import asyncio
import json
from collections.abc import AsyncIterator

from cabestan.store.journal import JournalReader, Query
from cabestan.store.journal.reader import Tail
from cabestan.store.logs import LogHub
from cabestan.web.journal_lines import shape

#: in one event at most
EVENT_LINES = 2000
#: a comment is sent after so long a silence (seconds), so that proxies keep the connection
KEEP_ALIVE = 15.0


async def follow(reader: JournalReader, hub: LogHub, key: str, number: int, query: Query) -> AsyncIterator[bytes]:
    """Until nobody listens."""
    clock = asyncio.get_running_loop().time
    tail, told = reader.tail(number, query), number
    with hub.following(key) as channel:
        sent_at = clock()
        while True:
            seen = channel.version
            event, told, more = await asyncio.to_thread(_event, tail, told)
            if event:
                yield event
                sent_at = clock()
            if more:
                continue
            await channel.wait(seen)
            if clock() - sent_at >= KEEP_ALIVE:
                yield b": still here\n\n"
                sent_at = clock()


def _event(tail: Tail, told: int) -> tuple[bytes, int, bool]:
    """The next one, empty where there is nothing new; the number that it tells to go on with; whether more is there."""
    found = tail.more(EVENT_LINES)
    if not found.lines:
        return b"", told, False
    data = json.dumps([shape(line) for line in found.lines], ensure_ascii=False, separators=(",", ":"))
    return f"id: {found.next}\nevent: lines\ndata: {data}\n\n".encode(), found.next, len(found.lines) == EVENT_LINES
