"""What the applications of an environment say: the newest lines, on from one, live, searched."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from cabestan.domain.access import Permission
from cabestan.domain.asked_time import moment
from cabestan.domain.environment import Environment
from cabestan.domain.journal import Origin
from cabestan.engine.journal.ledger import journal_key
from cabestan.engine.services import Services
from cabestan.errors import Invalid, NotFound
from cabestan.store import environments as store
from cabestan.store.journal import JournalReader
from cabestan.store.journal import Query as Wanted
from cabestan.store.journal.query import USUAL
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.api.shapes import Json
from cabestan.web.journal_lines import shape
from cabestan.web.journal_stream import follow
from cabestan.web.live import Follower, LiveStream

router = APIRouter()
_AT = "/projects/{group}/{name}/environments/{environment:path}/logs"
_MOST = 10_000
Words = Annotated[list[str], Query(max_length=100)]
Text = Annotated[str, Query(max_length=1000)]
Moment = Annotated[str, Query(max_length=40)]
Number = Annotated[int | None, Query(ge=1)]
Count = Annotated[int, Query(ge=0, le=_MOST)]


def wanted(
    services: Wired,
    service: Words = [],  # noqa: B006 (FastAPI copies it)
    field: Words = [],  # noqa: B006
    since: Moment = "",
    until: Moment = "",
    regexp: Text = "",
    replica: Annotated[int | None, Query(ge=0)] = None,
    access: bool = False,
    stderr: bool = False,
) -> Wanted:
    """Of the parameters that all three addresses take. Raises Invalid."""
    now = services.now()
    return Wanted(
        services=frozenset(service),
        replica=replica,
        origins=frozenset(Origin) if access else USUAL,
        since=moment(since, now) if since else 0,
        until=moment(until, now) if until else None,
        pattern=regexp,
        fields=_fields(field),
        errors_only=stderr,
    )


Asked = Annotated[Wanted, Depends(wanted)]


@router.get(_AT)
def lines(
    visitor: SignedIn,
    services: Wired,
    asked: Asked,
    group: str,
    name: str,
    environment: str,
    lines: Count = 100,
    before: Number = None,
    start: Annotated[int | None, Query(alias="from", ge=1)] = None,
) -> Json:
    """The newest that match, before a number where one is given; or the first from a number on."""
    reader = _reader(services, visitor, f"{group}/{name}", environment)
    found = reader.back(asked, lines, before) if start is None else reader.on(start, asked, lines)
    return {"lines": [shape(line) for line in found.lines], "next": found.next, "before": found.before}


@router.get(_AT + "/stream")
def stream(
    request: Request,
    visitor: SignedIn,
    services: Wired,
    asked: Asked,
    group: str,
    name: str,
    environment: str,
    start: Annotated[int | None, Query(alias="from", ge=1)] = None,
) -> LiveStream:
    """The same as server-sent events, from a number or the end on, then as they are said."""
    found = _environment(services, visitor, f"{group}/{name}", environment)
    reader, follower = services.journals.reader(found.id), Follower(request, visitor)
    number = _start(request.headers.get("last-event-id"), start, reader)
    events = follow(reader, services.hub, journal_key(found.id), number, asked)
    return LiveStream(events, lambda: _may_still(services, follower, f"{group}/{name}"), follower.counted)


@router.get(_AT + "/sources")
def sources(visitor: SignedIn, services: Wired, group: str, name: str, environment: str) -> Json:
    """Who said something of what is kept."""
    reader = _reader(services, visitor, f"{group}/{name}", environment)
    found = sorted({(source.service, source.origin, source.replica) for source in reader.sources()})
    return {"items": [{"service": service, "kind": origin, "replica": replica} for service, origin, replica in found]}


def _environment(services: Services, visitor: Visitor, project_name: str, environment: str) -> Environment:
    project = project_for(services, visitor.user, project_name, Permission.READ)
    with services.database.reading() as tx:
        return store.get(tx, project.id, environment)


def _reader(services: Services, visitor: Visitor, project_name: str, environment: str) -> JournalReader:
    return services.journals.reader(_environment(services, visitor, project_name, environment).id)


def _may_still(services: Services, follower: Follower, project_name: str) -> bool:
    if not follower.look_again():
        return False
    try:
        project_for(services, follower.visitor.user, project_name, Permission.READ)
    except NotFound:
        return False
    return True


def _start(last_event_id: str | None, asked: int | None, reader: JournalReader) -> int:
    end = reader.bounds()[1]
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= 18:
        return min(max(1, int(last_event_id)), end)
    return end if asked is None else min(asked, end)


def _fields(given: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Invalid(f"{text!r} is not of the form NAME=VALUE.", "Write it as status=500.")
        found[name] = value
    return found
