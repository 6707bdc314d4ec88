"""What commands print: JSON for scripts, aligned columns for people."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cabestan.cli.api import Thing
from cabestan.cli.cells import age, clean, colour, exact, one_line, short_commit, status_words, took
from cabestan.cli.fitting import Need, fit
from cabestan.domain.unseen import UNSEEN

if TYPE_CHECKING:  # rich takes longer to import than all the rest; only what prints a table does so
    from rich.console import Console, RenderableType
    from rich.text import Text

#: wide enough that nothing wraps where the output is not a terminal
_UNBOUNDED = 1_000_000
_GAP = "  "
#: with any of them rich may colour what is no terminal, too
_COLOURS_WANTED = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})


#: fields that tell one thing from another
_IDS = frozenset({"id", "number"})
#: those of which a part is of no use
_NAMES = frozenset(
    {"code", "environment", "health", "kind", "name", "pattern", "pipeline", "project", "reference", "release"}
    | {"service", "version", "exact_version", "port", "priority", "attempt", "tables", "rows", "here", "remote"}
)


@dataclass(frozen=True)
class Column:
    """`words` makes a cell's text of a thing; `style`, where given, its colour.

    `whole` and `kept`, and `state`, say what becomes of it in a narrow terminal (`fitting.Need`).
    """

    heading: str
    words: Callable[[Thing], str]
    style: Callable[[Thing], str] = lambda _: "default"
    whole: bool = False
    kept: bool = False
    state: bool = False


def field(key: str, heading: str = "") -> Column:
    return Column(
        heading or key.replace("_", " "),
        lambda thing: one_line(thing.get(key)),
        whole=key in _IDS | _NAMES,
        kept=key in _IDS,
        state=key in _IDS,
    )


def status(key: str = "status", heading: str = "") -> Column:
    return Column(
        heading or key,
        lambda thing: status_words(str(thing.get(key, ""))),
        lambda thing: colour(str(thing.get(key, ""))),
        whole=True,
        kept=True,
        state=True,
    )


def since(key: str, heading: str = "") -> Column:
    return Column(heading or key.removesuffix("_at"), lambda thing: age(thing.get(key), datetime.now(UTC)), whole=True)


def moment(key: str, heading: str = "") -> Column:
    """The time itself: for what is yet to come, and for what is compared with a clock."""
    return Column(heading or key.replace("_", " "), lambda thing: exact(thing.get(key)), whole=True)


def run_time() -> Column:
    def words(thing: Thing) -> str:
        return took(thing.get("started_at"), thing.get("finished_at"), datetime.now(UTC))

    return Column("took", words, whole=True)


def commit() -> Column:
    return Column("commit", lambda thing: short_commit(thing.get("commit")), whole=True)


def print_json(value: Any) -> None:
    """As the API gave it. What a terminal would obey, or not show, is written as JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n")


def print_list(items: Sequence[Thing], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """`empty` is what a person reads, on stderr, where there are none."""
    if as_json:
        print_json(list(items))
    elif items and _plain():
        sys.stdout.write(_aligned(items, columns))
    elif items:
        _write_table(items, columns)
    else:
        tell(empty)


def print_thing(thing: Thing, columns: Sequence[Column], *, as_json: bool = False) -> None:
    """One thing, a line for each of its fields that is not empty."""
    if as_json:
        print_json(thing)
        return
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(overflow="fold")
    for column in columns:
        if column.words(thing):
            table.add_row(column.heading, _cell(column, thing))
    _write(_console(), table)


def print_heading(text: str) -> None:
    from rich.text import Text

    _write(_console(), Text(f"\n{one_line(text)}", style="bold"))


def print_line(text: str, style: str = "default") -> None:
    """A line of text, wrapped by the terminal alone."""
    from rich.text import Text

    _write(_console(), Text(one_line(text), style=style))


def print_verbatim(text: str) -> None:
    """A line with its blanks."""
    sys.stdout.write(f"{clean(text)}\n")


def tell(text: str) -> None:
    """A word to the person, beside the output: on stderr."""
    print(clean(text), file=sys.stderr, flush=True)


def at_a_terminal() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _plain() -> bool:
    """Neither colours nor a width to fit into: then a list needs nothing of rich but the widths of characters."""
    return not sys.stdout.isatty() and not _COLOURS_WANTED & os.environ.keys()


def _aligned(items: Sequence[Thing], columns: Sequence[Column]) -> str:
    from rich.cells import cell_len

    rows = [[column.heading.upper() for column in columns]]
    rows += [[column.words(item) for column in columns] for item in items]
    widths = [max(map(cell_len, cells)) for cells in zip(*rows, strict=True)]
    padded = ((cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{_GAP.join(cells).rstrip()}\n" for cells in padded)


def _write_table(items: Sequence[Thing], columns: Sequence[Column]) -> None:
    """Columns side by side, as many as there is room for; one below the other where not even the first ones have it."""
    from rich.table import Table

    console = _console()
    widths = fit(_needs(items, columns), console.width)
    if widths is None:
        _write_cards(items, columns)
        return
    shown = [(column, width) for column, width in zip(columns, widths, strict=True) if width]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for column, width in shown:
        table.add_column(_shortened(column.heading.upper(), width), no_wrap=True)
    for item in items:
        table.add_row(*(_cell(column, item, width) for column, width in shown))
    _write(console, table)
    if left_out := [column.heading for column, width in zip(columns, widths, strict=True) if not width]:
        tell(f"No room for: {', '.join(left_out)}. A wider terminal shows all, and so does --json.")


def _needs(items: Sequence[Thing], columns: Sequence[Column]) -> list[Need]:
    from rich.cells import cell_len

    def need(place: int, column: Column) -> Need:
        width = max(cell_len(text) for text in (column.heading, *(column.words(item) for item in items)))
        return Need(width, cell_len(column.heading), column.whole, column.kept or place == 0, column.state)

    return [need(place, column) for place, column in enumerate(columns)]


def _shortened(text: str, width: int) -> str:
    """With … in place of what has no room."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _write_cards(items: Sequence[Thing], columns: Sequence[Column]) -> None:
    for number, item in enumerate(items):
        if number:
            sys.stdout.write("\n")
        print_thing(item, columns)


def _cell(column: Column, thing: Thing, width: int = _UNBOUNDED) -> "Text":
    """Never markup: brackets in a commit's title are brackets."""
    from rich.text import Text

    return Text(_shortened(column.words(thing), width), style=column.style(thing))


def _console() -> "Console":
    from rich.console import Console

    width = None if sys.stdout.isatty() else _UNBOUNDED
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def _write(console: "Console", renderable: "RenderableType") -> None:
    """Without the blanks that pad the last column: they would wrap, and disturb what reads the pipe."""
    with console.capture() as captured:
        console.print(renderable)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n")))
