"""What is known of how an environment's routes answer, and keeping of it only what is shown."""

from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.uptime import DAYS_KEPT, HOURS_KEPT, Availability, Outage, last_day, last_month
from cabestan.engine.observing.asked import Asked
from cabestan.engine.services import Services
from cabestan.store import uptime as store

_SHOWN_OUTAGES = 10


@dataclass(frozen=True)
class Answering:
    """Of an environment: each route that is asked, and the newest outages, also those of routes of before."""

    routes: tuple[Availability, ...] = ()
    outages: tuple[Outage, ...] = ()


def answering(services: Services, tx: sa.Connection, environment: Environment) -> Answering:
    now = services.now()
    known = store.of(tx, environment.id, now - DAYS_KEPT)
    down = {one.route for one in store.open_outages(tx, [environment.id]).get(environment.id, ())}
    routes = tuple(
        Availability(ask.route, ask.service, ask.route in down, last_day(its, now), last_month(its, now))
        for ask in Asked(services).of(environment)
        for its in (known.get(ask.route, ()),)
    )
    return Answering(routes, store.newest_outages(tx, environment.id, _SHOWN_OUTAGES))


def fold_uptime(services: Services) -> None:
    """Hours that are old become parts of their days, and days that are old go."""
    now = services.now()
    with services.database.writing() as tx:
        store.drop(tx, now - DAYS_KEPT)
        store.fold(tx, now - HOURS_KEPT)
