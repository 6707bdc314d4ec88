"""What a narrow table shortens, and what it leaves out."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from tests.cli.conftest import Cli
from tests.cli.fake_server import FakeServer
from tests.cli.test_requests import LISTS

import cabestan.cli
from cabestan.cli import output
from cabestan.cli.fitting import Need, fit
from cabestan.cli.output import Column, print_list

#: fields that lists show as they come
TEXTS = ("name", "title", "git_url", "environment", "subject", "message", "issuer", "service", "by")

ID, STATE = (Need(4, 2, whole=True, kept=True, state=True), Need(11, 6, whole=True, kept=True, state=True))
DATE, TITLE = Need(10, 7, whole=True), Need(70, 5)


def test_what_has_room_stays_as_it_is() -> None:
    assert fit([ID, STATE, TITLE, DATE], 101) == (4, 11, 70, 10)


def test_a_long_text_is_shortened_before_anything_is_left_out() -> None:
    assert fit([ID, STATE, TITLE, DATE], 60) == (4, 11, 29, 10)


def test_of_two_long_texts_both_get_about_the_same() -> None:
    assert fit([ID, Need(40), Need(90)], 60) == (4, 26, 26)


def test_what_is_last_is_left_out_first_and_the_texts_get_its_room() -> None:
    assert fit([ID, STATE, TITLE, DATE, DATE], 48) == (4, 11, 17, 10, 0)
    assert fit([ID, STATE, DATE, TITLE], 30) == (4, 11, 10, 0)


def test_ids_and_states_are_neither_shortened_nor_left_out() -> None:
    assert fit([ID, TITLE, DATE, STATE], 19) == (4, 0, 0, 11)
    assert fit([ID, STATE], 16) is None


def test_a_name_is_shortened_where_it_is_all_that_is_left() -> None:
    name = Need(70, 4, whole=True, kept=True)
    assert fit([name, STATE, DATE], 60) == (47, 11, 0)
    assert fit([name, STATE], 20) is None


def _tables() -> list[tuple[str, tuple[Column, ...]]]:
    """All rows of columns that any command has for a list; those of single things are called fields."""
    modules = (import_module(m.name) for m in walk_packages(cabestan.cli.__path__, "cabestan.cli."))
    named = ((f"{m.__name__}.{name}", value) for m in modules for name, value in vars(m).items())
    return [(name, value) for name, value in named if _is_table(name, value)]


def _is_table(name: str, value: object) -> bool:
    rows = isinstance(value, tuple) and len(value) > 2 and all(isinstance(one, Column) for one in value)
    return rows and "FIELDS" not in name


def _long(column: Column) -> Column:
    """The same with the longest that it may have to show."""
    text = "✗ rolled back" if column.state else "a-name-of-forty-characters-and-no-blanks"
    return replace(column, words=lambda _: text if column.whole else f"{text}, {text}")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_plain", lambda: False)
    monkeypatch.setattr(output, "_console", lambda: Console(file=sys.stdout, width=60, highlight=False, markup=False))


@pytest.mark.parametrize(("name", "columns"), _tables(), ids=lambda found: found if isinstance(found, str) else "")
def test_every_list_is_a_table_at_sixty_columns(
    name: str, columns: tuple[Column, ...], narrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    print_list([{}, {}, {}], [_long(column) for column in columns], as_json=False, empty="")
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert len(rows) == 3, out
    assert max(map(cell_len, (head, *rows))) <= 60, out
    assert rows[0].count("✗ rolled back") == sum(column.state for column in columns)
    for column in columns:
        assert column.heading.upper() in head or column.heading in err, (name, column.heading)


def test_there_are_many_lists() -> None:
    assert len(_tables()) > 12


@pytest.mark.parametrize(("command", "path", "item"), LISTS)
def test_in_a_pipe_nothing_is_shortened(
    cli: Cli, server: FakeServer, command: str, path: str, item: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    long = {key: f"{value}-{'x' * 80}" if key in TEXTS else value for key, value in item.items()}
    server.lists(path, long)
    done = cli(*command.split())
    assert (done.err, "…" in done.out) == ("", False)
    assert "x" * 80 in done.out
