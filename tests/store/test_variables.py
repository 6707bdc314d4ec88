from __future__ import annotations

import pytest
from tests.samples import NOW
from tests.store.rows import make_project

from cabestan.domain.variable import Variable
from cabestan.errors import NotFound
from cabestan.store import variables as store
from cabestan.store.database import Database
from cabestan.store.variables import Scope


def test_every_version_is_kept_and_the_newest_counts(database: Database) -> None:
    with database.writing() as tx:
        key = make_project(tx).project.id
        first = store.add(tx, Scope(key), "LEVEL", value="1", by="ann", now=NOW)
        second = store.add(tx, Scope(key), "LEVEL", value="2", by="ben", now=NOW)
        own = store.add(tx, Scope(key, "staging"), "LEVEL", value="3", by="ann", now=NOW)
        secret = store.add(tx, Scope(key), "KEY", sealed=b"\0sealed", by="ann", now=NOW)
        assert first == Variable(first.id, key, "", "LEVEL", 1, False, "1", "ann", NOW)
        assert second == Variable(second.id, key, "", "LEVEL", 2, False, "2", "ben", NOW)
        assert secret == Variable(secret.id, key, "", "KEY", 1, True, "", "ann", NOW)
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


def test_a_groups_settings_reach_its_projects_and_have_versions_of_their_own(database: Database) -> None:
    shop = Scope(group="shop")
    with database.writing() as tx:
        api, other = make_project(tx).project, make_project(tx, "office/web").project
        first = store.add(tx, shop, "LEVEL", value="1", by="ann", now=NOW)
        second = store.add(tx, shop, "LEVEL", value="2", protected=True, masked=True, by="ben", now=NOW)
        own = store.add(tx, Scope(api.id), "LEVEL", value="3", by="ann", now=NOW)
        secret = store.add(tx, shop, "KEY", sealed=b"sealed", by="ann", now=NOW)
        assert (first.version, second.version, own.version) == (1, 2, 1)
        assert (second.group, second.protected, second.masked, own.group) == ("shop", True, True, "")
        assert store.current_in_group(tx, "shop") == (secret, second)
        assert store.applying(tx, api) == (secret, second, own)
        assert store.applying(tx, other) == ()
        assert store.current(tx, api.id) == (own,)
        assert store.sealed_of_project(tx, api) == ((secret, b"sealed"),)
        assert store.masked_of_project(tx, api) == ("2",)
        assert (store.sealed_of_project(tx, other), store.masked_of_project(tx, other)) == ((), ())
        with pytest.raises(NotFound, match="There is no secret LEVEL in this group shop"):
            store.remove(tx, shop, "LEVEL", secret=True, by="ann", now=NOW)


def test_the_history_has_every_version_also_those_that_ended_the_name(database: Database) -> None:
    with database.writing() as tx:
        scope = Scope(make_project(tx).project.id, "staging")
        first = store.add(tx, scope, "LEVEL", value="1", by="ann", now=NOW)
        store.remove(tx, scope, "LEVEL", secret=False, by="ben", now=NOW)
        assert store.find(tx, scope, "LEVEL") is None
        again = store.add(tx, scope, "LEVEL", value="2", by="ann", now=NOW)
        newest, gone, oldest = store.history(tx, scope, "LEVEL")
        assert (newest, oldest) == (again, first)
        assert (gone.version, gone.removed, gone.by) == (2, True, "ben")
        assert store.find(tx, scope, "LEVEL") == again
        assert store.history(tx, Scope(scope.project_id), "LEVEL") == ()
