"""What the applications on staging said: of all kinds."""

import json

from cabestan.domain.journal import Origin, Position, Said, Source
from cabestan.engine.journal.ledger import journal_key
from cabestan.engine.services import Services
from cabestan.store.journal import JournalWriter, Taken

WEB = Source("web", Origin.SERVICE, 1, 1, "aaa")
NEWER = Source("web", Origin.SERVICE, 1, 2, "bbb")
LONG_NAME = Source("a-service-whose-name-somebody-made-rather-long", Origin.SERVICE, 2, 1, "ccc")
_PAID = {"level": "info", "msg": "Order paid", "order": {"id": 4711, "total": 12.5}, "user": "anna"}
_SLOW = {
    "level": "warn",
    "message": "Slow query",
    "ms": 1843,
    "query": "SELECT * FROM orders WHERE " + "x = 1 OR " * 30,
}


def said(writer: JournalWriter, source: Source, at: int, *texts: str, error: bool = False) -> None:
    """Lines that begin with a blank go on with the one before."""
    lines = [
        (source, Said((at + place) * 10**6, error, text.encode(), continued=text.startswith(" ")))
        for place, text in enumerate(texts)
    ]
    writer.append(Taken(lines, {source.container: Position()}))


def fill(services: Services, environment_id: int) -> None:
    writer, now = services.journals.writer(environment_id), int(services.now().timestamp() * 1000) - 60_000
    said(writer, WEB, now, *(f"GET /items/{number} 200" for number in range(220)))
    said(writer, WEB, now + 300, json.dumps(_PAID), json.dumps(_SLOW), "\x1b[32mready\x1b[0m in \x1b[1m2 s\x1b[0m")
    trace = (f'  File "/app/step_{number}.py", line {number}, in step' for number in range(14))
    said(writer, LONG_NAME, now + 400, "Traceback (most recent call last):", *trace, " ValueError: no", error=True)
    said(writer, WEB._replace(origin=Origin.PLATFORM), now + 500, "(1234 lines dropped: it says more than it may)")
    said(writer, NEWER, now + 600, "Listening on :8000", "x" * 400)
    writer.close()


def said_now(services: Services, environment_id: int, *texts: str) -> None:
    """While it is looked at."""
    writer = services.journals.writer(environment_id)
    said(writer, NEWER, int(services.now().timestamp() * 1000), *texts)
    writer.close()
    services.hub.advanced(journal_key(environment_id))
