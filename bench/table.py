"""The figures as a table for people."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import Figure


def show(figures: Sequence[Figure], console: Console) -> None:
    """A line per figure, then how each was measured, then loudly what does not hold."""
    console.print(table(figures, plain=not console.is_terminal))
    for figure in figures:
        console.print(Text(f"  {figure.name}: {figure.note}", "dim"), soft_wrap=True)
    console.print(verdict(figures), soft_wrap=True)


def table(figures: Sequence[Figure], *, plain: bool) -> Table:
    made = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("what", no_wrap=True)
    for heading in ("value", "against", "ratio", "at most", ""):
        made.add_column(heading, justify="right", no_wrap=True)
    for figure in figures:
        made.add_row(*cells(figure), style="" if figure.holds else "bold red")
    return made


def cells(figure: Figure) -> tuple[str, ...]:
    """Of one line: what, value, against, ratio, limit, verdict."""
    value = "–" if figure.value is None else f"{figure.value:.3g} {figure.unit}".rstrip()
    against = "–" if figure.against is None else f"{figure.against:.3g} {figure.unit}".rstrip()
    ratio = "–" if figure.ratio is None else f"{figure.ratio:.2f} ×"
    return figure.name, value, against, ratio, _limit(figure), _word(figure)


def verdict(figures: Sequence[Figure]) -> Text:
    broken = [figure.name for figure in figures if not figure.holds]
    if not broken:
        return Text("All limits hold.", "green")
    return Text(f"LIMITS THAT DO NOT HOLD ({len(broken)}): {'; '.join(broken)}", "bold red")


def _limit(figure: Figure) -> str:
    if figure.limit is None:
        return "–"
    return f"{figure.limit:g} {figure.unit}".rstrip() if figure.against is None else f"{figure.limit:g} ×"


def _word(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    return "holds" if figure.holds else "DOES NOT HOLD"
