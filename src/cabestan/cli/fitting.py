"""How a table finds room in a narrow terminal: long texts are shortened first, then columns are left out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

#: between two columns
GAP = 2
#: a text is shortened to no less, so that it still says something
_LEAST_TEXT = 12
#: nor a name, where nothing else helps
_LEAST_NAME = 8


@dataclass(frozen=True)
class Need:
    """What a column would take, in characters.

    `whole`: it is not shortened, for a part of it is of no use (a name, a number, a date). `kept`: it is not left out,
    for it tells the rows apart, or is what one looks at first (an id, a state). `state`: it is neither, ever.
    """

    width: int
    heading: int = 0
    whole: bool = False
    kept: bool = False
    state: bool = False

    @property
    def least(self) -> int:
        return self.width if self.whole else min(self.width, max(self.heading, _LEAST_TEXT))


def fit(needs: Sequence[Need], room: int) -> tuple[int, ...] | None:
    """The width of each column, 0 for one that is left out; None where not even what is kept has room.

    The last one goes first: columns stand in the order of their importance.
    """
    shown = list(range(len(needs)))
    while _least(needs, shown) > room:
        droppable = [place for place in shown if not needs[place].kept]
        if not droppable:
            return _squeezed(needs, shown, room)
        shown.remove(droppable[-1])
    return _spread(needs, shown, {place: needs[place].least for place in shown}, room)


def _least(needs: Sequence[Need], shown: Sequence[int]) -> int:
    return sum(needs[place].least for place in shown) + GAP * (len(shown) - 1)


def _squeezed(needs: Sequence[Need], shown: Sequence[int], room: int) -> tuple[int, ...] | None:
    """Where what is kept is too wide by itself: names are shortened, states never."""
    least = {p: needs[p].width if needs[p].state else min(needs[p].width, _LEAST_NAME) for p in shown}
    if sum(least.values()) + GAP * (len(shown) - 1) > room:
        return None
    return _spread(needs, shown, least, room)


def _spread(needs: Sequence[Need], shown: Sequence[int], least: dict[int, int], room: int) -> tuple[int, ...]:
    """What room there is beyond the least: the widest gives way first, so that all texts end up about alike."""
    widths = {place: needs[place].width for place in shown}
    left = room - GAP * (len(shown) - 1)
    while sum(widths.values()) > left:
        widest = max((p for p in shown if widths[p] > least[p]), key=lambda p: (widths[p], p))
        widths[widest] -= 1
    return tuple(widths.get(place, 0) for place in range(len(needs)))
