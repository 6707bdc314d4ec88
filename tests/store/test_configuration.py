from __future__ import annotations

import pytest
from tests.samples import NOW
from tests.store.rows import make_project

from cabestan.domain.configuration import Setting
from cabestan.errors import NotFound
from cabestan.store import configuration as store
from cabestan.store.configuration import Scope
from cabestan.store.database import Database


def test_every_version_is_kept_and_the_newest_counts(database: Database) -> None:
    with database.writing() as tx:
        key = make_project(tx).project.id
        first = store.add(tx, Scope(key), "LEVEL", value="1", by="ann", now=NOW)
        second = store.add(tx, Scope(key), "LEVEL", value="2", by="ben", now=NOW)
        own = store.add(tx, Scope(key, "staging"), "LEVEL", value="3", by="ann", now=NOW)
        secret = store.add(tx, Scope(key), "KEY", sealed=b"\0sealed", by="ann", now=NOW)
        assert first == Setting(first.id, key, "", "LEVEL", 1, False, "1", "ann", NOW)
        assert second == Setting(second.id, key, "", "LEVEL", 2, False, "2", "ben", NOW)
        assert secret == Setting(secret.id, key, "", "KEY", 1, True, "", "ann", NOW)
        assert store.current(tx, key) == (secret, second, own)
        assert store.by_ids(tx, [first.id, secret.id]) == (secret, first)
        assert store.by_ids(tx, []) == ()
        assert store.sealed(tx, [first.id, secret.id]) == {secret.id: b"\0sealed"}


def test_a_removed_name_is_gone_and_its_versions_stay(database: Database) -> None:
    with database.writing() as tx:
        project = make_project(tx).project
        key = project.id
        secret = store.add(tx, Scope(key, "staging"), "KEY", sealed=b"old", by="ann", now=NOW)
        store.remove(tx, Scope(key, "staging"), "KEY", secret=True, by="ann", now=NOW)
        assert store.current(tx, key) == ()
        assert store.by_ids(tx, [secret.id]) == (secret,)
        assert store.sealed_of_project(tx, project) == ((secret, b"old"),)
        again = store.add(tx, Scope(key, "staging"), "KEY", sealed=b"new", by="ann", now=NOW)
        assert (again.version, store.current(tx, key)) == (3, (again,))


@pytest.mark.parametrize(
    ("environment", "name", "secret"),
    [("", "NONE", False), ("", "LEVEL", True), ("staging", "LEVEL", False)],
)
def test_only_what_is_there_can_be_removed(database: Database, environment: str, name: str, secret: bool) -> None:
    with database.writing() as tx:
        key = make_project(tx).project.id
        store.add(tx, Scope(key), "LEVEL", value="1", by="ann", now=NOW)
        with pytest.raises(NotFound, match=f"There is no {'secret' if secret else 'variable'} {name} in this"):
            store.remove(tx, Scope(key, environment), name, secret=secret, by="ann", now=NOW)


def test_one_projects_settings_are_no_others(database: Database) -> None:
    with database.writing() as tx:
        one, two = make_project(tx).project.id, make_project(tx, "shop/web").project.id
        mine = store.add(tx, Scope(one), "LEVEL", value="1", by="ann", now=NOW)
        assert (store.current(tx, one), store.current(tx, two)) == ((mine,), ())
        assert store.add(tx, Scope(two), "LEVEL", value="1", by="ann", now=NOW).version == 1
