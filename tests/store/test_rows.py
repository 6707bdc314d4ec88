"""A row is a value by the names of the value's fields, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pytest
import sqlalchemy as sa
from tests.store.rows import make_project

from cabestan.errors import NotFound
from cabestan.store.database import Database
from cabestan.store.rows import Rows, columns_of
from cabestan.store.schema import environments, projects
from cabestan.store.schema.columns import Id, json_, text_, word_


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True)
class Thing:
    id: int
    label: str
    size: Size
    colour: Colour
    parts: tuple[tuple[str, int], ...]
    notes: Mapping[str, str]
    #: no column has it
    seen: bool = False


_TABLE = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", Id, primary_key=True),
    text_("name"),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    word_("colour", Colour),
    json_("parts", tuple[tuple[str, int], ...]),
    json_("notes", Mapping[str, str]),
)
_THINGS = Rows(Thing, _TABLE, label=_TABLE.c.name)


def _thing(number: int) -> Thing:
    return Thing(number, f"t{number}", Size(number, 2), Colour.RED, (("é", 1),), {"a": "b"})


def _put(tx: sa.Connection, *numbers: int) -> None:
    _TABLE.create(tx)
    for number in numbers:
        thing = _thing(number)
        size = columns_of(_TABLE, thing.size)
        assert _THINGS.add(tx, id=number, name=thing.label, **size, **columns_of(_TABLE, thing)) == number


@pytest.fixture
def things(database: Database) -> Database:
    with database.writing() as tx:
        tx.execute(sa.text("DROP TABLE IF EXISTS things"))
        _put(tx, 1, 2, 3)
    return database


def test_values_come_back_as_they_were_put(things: Database) -> None:
    with things.reading() as tx:
        found = _THINGS.find(tx, _TABLE.c.id == 2)
        assert (found, type(found.colour) if found else None) == (_thing(2), Colour)
        assert _THINGS.one(tx, 2) == _thing(2)
        assert _THINGS.find(tx, _TABLE.c.id == 9) is None


def test_what_is_kept_is_plain_text(things: Database) -> None:
    with things.reading() as tx:
        row = tx.execute(sa.text("SELECT colour, parts, notes FROM things WHERE id = 1")).one()
        assert tuple(row) == ("red", '[["é",1]]', '{"a":"b"}')


def test_a_word_that_is_no_member_is_refused(things: Database) -> None:
    with things.writing() as tx:
        tx.execute(sa.text("UPDATE things SET colour = 'blue' WHERE id = 1"))
        with pytest.raises(ValueError, match="'blue' is not a valid Colour"):
            _THINGS.one(tx, 1)


def test_pages_go_from_the_newest_down(things: Database) -> None:
    with things.reading() as tx:
        assert _THINGS.newest(tx) == (_thing(3), _thing(2), _thing(1))
        assert _THINGS.newest(tx, before=3, limit=1) == (_thing(2),)
        assert _THINGS.newest(tx, by=_TABLE.c.width, before=2) == (_thing(1),)
        assert _THINGS.latest(tx, _TABLE.c.id < 3) == _thing(2)
        assert _THINGS.latest(tx, _TABLE.c.id < 1) is None
        assert _THINGS.all(tx, _TABLE.c.id != 2, by=(_TABLE.c.name,)) == (_thing(1), _thing(3))


def test_what_is_missing_is_told_in_the_words_of_its_kind(things: Database) -> None:
    with things.reading() as tx:
        assert _THINGS.get(tx, 1, lambda key: NotFound(f"no {key}")) == _thing(1)
        with pytest.raises(NotFound, match="no 9"):
            _THINGS.get(tx, 9, lambda key: NotFound(f"no {key}"))


def test_a_change_writes_what_it_names_alone(things: Database) -> None:
    with things.writing() as tx:
        _THINGS.update(tx, 2, parts=(), notes={})
        changed = Thing(2, "t2", Size(2, 2), Colour.RED, (), {})
        assert _THINGS.all(tx, by=(_TABLE.c.id,)) == (_thing(1), changed, _thing(3))


def test_a_field_that_neither_a_column_nor_a_default_has_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="Thing has no column for label"):
        Rows(Thing, _TABLE)


def test_a_field_is_read_from_a_joined_table(database: Database) -> None:
    @dataclass(frozen=True)
    class Place:
        name: str
        project: str

    places = Rows(Place, environments, environments.join(projects), project=projects.c.name)
    with database.writing() as tx:
        make_project(tx)
        assert places.all(tx, by=(environments.c.position,)) == (
            Place("staging", "shop/api"),
            Place("production", "shop/api"),
        )
