from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from tests.samples import NOW
from tests.store.rows import make_deployment, make_project, make_release

from cabestan.domain.environment import Environment
from cabestan.domain.uptime import DAY, HOUR, Outage, Tally, day_of, hour_of
from cabestan.store import projects
from cabestan.store import uptime as store
from cabestan.store.database import Database

ROUTE, OTHER = "shop.example.org/", "shop.example.org/api"
THIS_HOUR = hour_of(NOW)


def outage(tx: sa.Connection, environment: Environment, route: str = ROUTE, minutes: int = 0) -> Outage:
    """With a deployment of its own."""
    deployment = make_deployment(tx, environment, make_release(tx, projects.by_id(tx, environment.project_id)))
    return Outage(0, environment.id, deployment.id, route, "web", "it answers 502", NOW + timedelta(minutes=minutes))


def test_what_is_asked_is_put_to_what_there_is_of_its_hour(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        first, second = rows.staging.id, rows.production.id
        store.add(tx, {(first, ROUTE): [Tally(THIS_HOUR, 1, 2, 0, (0, 2)), Tally(THIS_HOUR + HOUR, 1, 1)]})
        store.add(
            tx,
            {
                (first, ROUTE): [Tally(THIS_HOUR, 1, 1, 0, (1,)), Tally(THIS_HOUR, 1, 0, 1)],
                (first, OTHER): [Tally(THIS_HOUR, 1, 9)],
                (second, ROUTE): [Tally(THIS_HOUR, 1, 8)],
            },
        )
        found = store.of(tx, first, THIS_HOUR)
        assert {route: set(several) for route, several in found.items()} == {
            ROUTE: {Tally(THIS_HOUR, 1, 3, 1, (1, 2)), Tally(THIS_HOUR + HOUR, 1, 1)},
            OTHER: {Tally(THIS_HOUR, 1, 9)},
        }
        assert store.of(tx, first, THIS_HOUR + HOUR) == {ROUTE: (Tally(THIS_HOUR + HOUR, 1, 1),)}
        assert store.of(tx, second, THIS_HOUR) == {ROUTE: (Tally(THIS_HOUR, 1, 8),)}


def test_what_an_environment_said_that_has_gone_is_dropped(database: Database) -> None:
    with database.writing() as tx:
        staging = make_project(tx).staging.id
        store.add(tx, {(staging + 99, ROUTE): [Tally(THIS_HOUR, 1, 1)], (staging, ROUTE): [Tally(THIS_HOUR, 1, 1)]})
        assert store.of(tx, staging, THIS_HOUR) == {ROUTE: (Tally(THIS_HOUR, 1, 1),)}
        assert store.of(tx, staging + 99, THIS_HOUR) == {}


def test_hours_of_days_that_are_over_become_their_days_also_a_second_time(database: Database) -> None:
    today = day_of(NOW)
    with database.writing() as tx:
        key = make_project(tx).staging.id, ROUTE
        late = [Tally(today - 3 * DAY + hours * HOUR, 1, 59, 1, (59,)) for hours in (0, 5)]
        store.add(tx, {key: [*late, Tally(today, 1, 3)]})
        store.fold(tx, NOW)
        store.add(tx, {key: [Tally(today - 3 * DAY + 7 * HOUR, 1, 2)]})
        store.fold(tx, NOW)
        assert set(store.of(tx, key[0], today - 9 * DAY)[ROUTE]) == {
            Tally(today - 3 * DAY, 24, 120, 2, (118,)),
            Tally(today, 1, 3),
        }


def test_what_is_old_goes(database: Database) -> None:
    with database.writing() as tx:
        staging = make_project(tx).staging
        store.add(tx, {(staging.id, ROUTE): [Tally(THIS_HOUR - HOUR, 1, 1), Tally(THIS_HOUR, 1, 1)]})
        for route, minutes in ((ROUTE, -90), (OTHER, -80)):
            store.begin(tx, outage(tx, staging, route, minutes), 9)
        ended, still = store.open_outages(tx)[staging.id]
        store.end(tx, ended, NOW - HOUR)
        store.drop(tx, THIS_HOUR)
        assert store.of(tx, staging.id, NOW - DAY) == {ROUTE: (Tally(THIS_HOUR, 1, 1),)}
        assert store.newest_outages(tx, staging.id, 9) == (still,)


def test_an_outage_is_open_until_it_is_ended_once(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        assert store.open_outages(tx) == {}
        store.begin(tx, outage(tx, rows.staging), 9)
        ((one,),) = store.open_outages(tx, [rows.staging.id, rows.production.id]).values()
        assert (one.route, one.service, one.reason, one.began_at) == (ROUTE, "web", "it answers 502", NOW)
        assert store.open_outages(tx, [rows.production.id]) == {}
        store.end(tx, one, NOW + HOUR)
        store.end(tx, one, NOW + DAY)
        assert store.open_outages(tx) == {}
        assert [found.ended_at for found in store.newest_outages(tx, rows.staging.id, 9)] == [NOW + HOUR]


def test_of_an_environment_only_the_newest_outages_stay(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        store.begin(tx, outage(tx, rows.production), 2)
        for minutes in range(4):
            store.begin(tx, outage(tx, rows.staging, minutes=minutes), 2)
            store.end(tx, store.open_outages(tx)[rows.staging.id][0], NOW + HOUR)
        kept = [found.began_at for found in store.newest_outages(tx, rows.staging.id, 9)]
        assert kept == [NOW + timedelta(minutes=3), NOW + timedelta(minutes=2)]
        assert len(store.newest_outages(tx, rows.production.id, 9)) == 1
