"""How the routes of environments answer: sums by hours and days, and outages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.uptime import Outage, Tally, day_of, merged
from cabestan.store.rows import Rows, columns_of
from cabestan.store.schema import environments, outages, tallies

#: an environment and a route of it
Key = tuple[int, str]

_TALLIES = Rows(Tally, tallies)
_OUTAGES = Rows(Outage, outages)
_HOUR, _DAY = 1, 24


def add(tx: sa.Connection, found: Mapping[Key, Iterable[Tally]]) -> None:
    """Puts what was asked to what there is of its hour; what an environment that has gone meanwhile said is dropped."""
    there = frozenset(tx.execute(sa.select(environments.c.id)).scalars())
    new = {
        (*key, one.hours, one.begun): one for key, several in found.items() if key[0] in there for one in _one(several)
    }
    _put(tx, new, _present(tx, {begun for *_, begun in new}))


def _one(several: Iterable[Tally]) -> Iterable[Tally]:
    """One for each hour."""
    by_begin: dict[datetime, list[Tally]] = defaultdict(list)
    for one in several:
        by_begin[one.begun].append(one)
    return [merged(begun, _HOUR, those) for begun, those in by_begin.items()]


_Place = tuple[int, str, int, datetime]


def _present(tx: sa.Connection, begins: Iterable[datetime]) -> Mapping[_Place, Tally]:
    query = _TALLIES.query.add_columns(tallies.c.environment_id, tallies.c.route)
    rows = tx.execute(query.where(tallies.c.begun.in_(list(begins))))
    made = ((key, route, _TALLIES.make(*row)) for *row, key, route in rows)
    return {(key, route, one.hours, one.begun): one for key, route, one in made}


def _put(tx: sa.Connection, new: Mapping[_Place, Tally], present: Mapping[_Place, Tally]) -> None:
    added = [_row(place, one) for place, one in new.items() if place not in present]
    changed = [
        {
            f"its_{name}": value
            for name, value in _row(place, merged(one.begun, one.hours, (present[place], one))).items()
        }
        for place, one in new.items()
        if place in present
    ]
    if added:
        tx.execute(sa.insert(tallies), added)
    if changed:
        keys = ("environment_id", "route", "hours", "begun")
        own = [tallies.c[name] == sa.bindparam(f"its_{name}") for name in keys]
        values: dict[str, sa.ColumnElement[object]] = {
            name: sa.bindparam(f"its_{name}") for name in ("good", "failed", "times")
        }
        tx.execute(sa.update(tallies).where(*own).values(values), changed)


def _row(place: _Place, one: Tally) -> dict[str, object]:
    return {"environment_id": place[0], "route": place[1], **columns_of(tallies, one)}


def of(tx: sa.Connection, environment_id: int, since: datetime) -> Mapping[str, tuple[Tally, ...]]:
    """By route; what began at a time or later."""
    own = (tallies.c.environment_id == environment_id, tallies.c.begun >= since)
    found: dict[str, list[Tally]] = defaultdict(list)
    for *row, route in tx.execute(_TALLIES.query.add_columns(tallies.c.route).where(*own)):
        found[route].append(_TALLIES.make(*row))
    return {route: tuple(several) for route, several in found.items()}


def fold(tx: sa.Connection, before: datetime) -> None:
    """What was asked by the hour before a day becomes a part of its day."""
    until = day_of(before)
    hourly = (tallies.c.hours == _HOUR, tallies.c.begun < until)
    days: dict[_Place, list[Tally]] = defaultdict(list)
    query = _TALLIES.query.add_columns(tallies.c.environment_id, tallies.c.route)
    for *row, key, route in tx.execute(query.where(*hourly)):
        one = _TALLIES.make(*row)
        days[key, route, _DAY, day_of(one.begun)].append(one)
    if days:
        new = {place: merged(place[3], _DAY, several) for place, several in days.items()}
        tx.execute(sa.delete(tallies).where(*hourly))
        _put(tx, new, _present(tx, {place[3] for place in days}))


def drop(tx: sa.Connection, before: datetime) -> None:
    """What was asked, and what ended, before a time."""
    tx.execute(sa.delete(tallies).where(tallies.c.begun < before))
    tx.execute(sa.delete(outages).where(outages.c.ended_at < before))


def open_outages(tx: sa.Connection, environment_ids: Iterable[int] | None = None) -> Mapping[int, tuple[Outage, ...]]:
    """By environment; those of all, where none are named."""
    wanted = () if environment_ids is None else (outages.c.environment_id.in_(list(environment_ids)),)
    found: dict[int, list[Outage]] = defaultdict(list)
    for one in _OUTAGES.all(tx, outages.c.ended_at.is_(None), *wanted, by=(outages.c.id,)):
        found[one.environment_id].append(one)
    return {key: tuple(several) for key, several in found.items()}


def newest_outages(tx: sa.Connection, environment_id: int, limit: int) -> tuple[Outage, ...]:
    """Of an environment, the newest first."""
    return _OUTAGES.newest(tx, outages.c.environment_id == environment_id, limit=limit)


def begin(tx: sa.Connection, outage: Outage, kept: int) -> None:
    """Its id is given here. Of its environment the newest `kept` stay."""
    tx.execute(sa.insert(outages).values(columns_of(outages, outage)))
    own = outages.c.environment_id == outage.environment_id
    newest = sa.select(outages.c.id).where(own).order_by(outages.c.id.desc()).limit(1).offset(kept)
    if (last := tx.execute(newest).scalar()) is not None:
        tx.execute(sa.delete(outages).where(own, outages.c.id <= last, outages.c.ended_at.is_not(None)))


def end(tx: sa.Connection, outage: Outage, now: datetime) -> None:
    tx.execute(sa.update(outages).where(outages.c.id == outage.id, outages.c.ended_at.is_(None)).values(ended_at=now))
