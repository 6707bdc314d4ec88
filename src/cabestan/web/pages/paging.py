"""Pages of long lists, by the key of the last row and not by counting, so that every page costs the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

PAGE_SIZE = 50

Item = TypeVar("Item")


@dataclass(frozen=True)
class Pager:
    """Addresses of the neighbouring pages, empty where there is none."""

    newest: str
    older: str


def split_page(
    items: Sequence[Item],
    key: Callable[[Item], int],
    address: str,
    before: int | None,
    query: Mapping[str, str] | None = None,
) -> tuple[tuple[Item, ...], Pager]:
    """`items` has one more than a page where there are older ones. `query` is in every page's address."""
    kept = dict(query or {})
    shown = tuple(items[:PAGE_SIZE])
    older = _address(address, kept | {"before": str(key(shown[-1]))}) if len(items) > PAGE_SIZE else ""
    return shown, Pager(_address(address, kept) if before is not None else "", older)


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
