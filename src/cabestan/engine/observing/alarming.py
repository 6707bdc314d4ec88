"""Raises an alert for what is down or ends again and again, once, and ends it when all is well again."""

from datetime import timedelta

from cabestan.domain.environment import Environment
from cabestan.domain.observed import WELL, Condition, Seen
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.observing.outages import is_deploying
from cabestan.engine.services import Services
from cabestan.store import projects as project_store

KIND = "service"
#: what is down for a moment only, as a container takes another one's place, is nobody's trouble
_GRACE = timedelta(seconds=15)


def look(services: Services, environment: Environment, seen: Seen) -> None:
    """While a deployment runs it tells itself what goes wrong. An alert stays until everything is seen to be well."""
    if seen.condition is Condition.UNKNOWN:
        return
    if seen.condition in WELL:
        clear(services, environment)
    elif _is_trouble(services, seen) and not is_deploying(services, environment):
        with services.database.reading() as tx:
            project = project_store.by_id(tx, environment.project_id)
        told = message(environment, seen)
        raise_alert(services, KIND, _subject(environment), told, _REMEDY, words=last_words(seen), project=project)


def clear(services: Services, environment: Environment) -> None:
    clear_alert(services, KIND, _subject(environment))


_REMEDY = "Its page shows what each service said last; `cabestan rollback` brings the release before back."


def message(environment: Environment, seen: Seen) -> str:
    """Which services, and why."""
    told = (f"{service.name}: {service.sentence}." for service in seen.unwell)
    return " ".join((f"{environment.name} of {environment.project} is {seen.condition}.", *told))


def last_words(seen: Seen) -> str:
    """Of the first service that said any; an application that runs and does not answer said none that matter."""
    ended = (one.last_exit for one in seen.unwell if one.last_exit and not one.unanswered)
    return next((last.words for last in ended if last.words), "")


def _is_trouble(services: Services, seen: Seen) -> bool:
    if any(service.loops or service.unanswered for service in seen.services):
        return True
    return seen.condition is Condition.DOWN and services.now() - seen.since >= _GRACE


def _subject(environment: Environment) -> str:
    return f"{environment.project} {environment.name}"
