"""Raises an alert for what was ended because it used more memory than it may, and runs again: nobody would notice."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cabestan.domain.environment import Environment
from cabestan.domain.observed import Condition, Seen, SeenService
from cabestan.engine.alerts import clear_all, raise_alert
from cabestan.engine.services import Services
from cabestan.store import alerts as store
from cabestan.store import projects as project_store

KIND = "memory"
#: it is over when so much time has gone by without another end
_TOLD = timedelta(hours=1)
#: it is looked at for a little longer, so that it does end
_LOOKED_AT = _TOLD + timedelta(minutes=10)
_REMEDY = (
    "Raise its limit (`deploy.resources.limits.memory` in the Compose file), or look what it keeps in memory. "
    "The alert ends when an hour has gone by without another end."
)
_MIB = 2**20


def is_recent(seen: Seen, now: datetime) -> bool:
    """Whether something ended so, so lately that there is an alert to begin or to end."""
    return any(_ended(service, now, _LOOKED_AT) for service in seen.services)


def look(services: Services, environment: Environment, seen: Seen, told_by: str) -> None:
    """`told_by` is the kind of the alert of all that is not well: what that one told, is told."""
    if seen.condition is Condition.UNKNOWN:
        return
    found = {_subject(environment, one): one for one in _alone(services, environment, seen, told_by)}
    with services.database.reading() as tx:
        project = project_store.by_id(tx, environment.project_id)
    for subject, service in found.items():
        words = service.last_exit.words if service.last_exit else ""
        raise_alert(services, KIND, subject, message(environment, service), _REMEDY, words=words, project=project)
    clear(services, environment, frozenset(found))


def clear(services: Services, environment: Environment, kept: frozenset[str] = frozenset()) -> None:
    own = _subject(environment)
    clear_all(services, KIND, lambda subject: subject.startswith(own) and subject not in kept)


def message(environment: Environment, service: SeenService) -> str:
    limit = f"its limit of {service.memory // _MIB} MiB" if service.memory else "there was"
    return (
        f"{service.name} on {environment.name} of {environment.project} used more memory than {limit} and was ended; "
        "it runs again."
    )


def _alone(services: Services, environment: Environment, seen: Seen, told_by: str) -> Iterator[SeenService]:
    now = services.now()
    with services.database.reading() as tx:
        other = store.newest(tx, told_by, f"{environment.project} {environment.name}")
    for service in seen.services:
        if service.condition is Condition.SERVING and (at := _ended(service, now, _TOLD)):
            told = other and (other.cleared_at is None or other.cleared_at >= at)
            if not told:
                yield service


def _ended(service: SeenService, now: datetime, within: timedelta) -> datetime | None:
    last = service.last_exit
    return last.at if last and last.out_of_memory and now - last.at < within else None


def _subject(environment: Environment, service: SeenService | None = None) -> str:
    return f"{environment.project} {environment.name} {service.name if service else ''}"
