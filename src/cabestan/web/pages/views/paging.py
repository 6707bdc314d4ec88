"""Pages of long lists, by the key of the last row and not by counting, so that every page costs the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

PAGE_SIZE = 50

Item = TypeVar("Item")


@dataclass(frozen=True)
class Pager:
    """Addresses of the neighbouring pages, empty where there is none."""

    newest: str
    older: str


def split_page(
    items: Sequence[Item], key: Callable[[Item], int], address: str, before: int | None, size: int = PAGE_SIZE
) -> tuple[tuple[Item, ...], Pager]:
    """`items` has one more than a page where there are older ones."""
    shown = tuple(items[:size])
    older = f"{address}?before={key(shown[-1])}" if len(items) > size else ""
    return shown, Pager(address if before is not None else "", older)
