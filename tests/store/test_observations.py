from __future__ import annotations

from dataclasses import replace

from tests.samples import NOW
from tests.store.rows import make_project

from cabestan.domain.observed import Condition, LastExit, Seen, SeenService
from cabestan.store import observations as store
from cabestan.store.database import Database

_EXIT = LastExit(NOW, None, "no such image", "said\nlast", "t1")
_SERVICES = (
    SeenService("a", Condition.DOWN, 2, 0, 3, _EXIT, True, "paused", ("ada",)),
    SeenService("b", Condition.SERVING, 1, 1),
)
_SEEN = Seen(Condition.DOWN, NOW, _SERVICES, "why")


def test_what_is_seen_comes_back_as_it_was_the_newest_of_each(database: Database) -> None:
    with database.writing() as tx:
        made = make_project(tx)
        first, second = made.staging.id, made.production.id
        assert store.find(tx, first) is None
        store.put(tx, first, replace(_SEEN, services=()))
        store.put(tx, first, _SEEN)
        assert store.find(tx, first) == _SEEN
        assert store.of(tx, (first, second)) == {first: _SEEN}
        store.drop(tx, first)
        assert store.find(tx, first) is None
