"""What counts as under way although no workflow is at it any more: nothing else would ever end it."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from cabestan.engine.durable import Durable

#: why it ended
LOST = "Its work was lost in a restart."


class _UnderWay(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_UnderWay)


def take_up(
    durable: Durable,
    under_way: Callable[[], Iterable[T]],
    workflow: Callable[[T], str],
    end: Callable[[T], object],
    begin: Callable[[T], object] = lambda _one: None,
) -> None:
    """Begins all that is under way, then ends what has no workflow that is alive: of that id, or an attempt of it.

    `begin` may be called for what was begun. Looked at twice: a workflow that ended in between has written its end.
    Of those alone that were there at first: another one may get its turn at any moment, before its workflow is there.
    """
    found = tuple(under_way())
    for one in found:
        begin(one)
    alive = durable.alive()
    still = {one.id for one in under_way()}
    for one in found:
        name = workflow(one)
        if one.id in still and not any(each == name or each.startswith(f"{name}-") for each in alive):
            end(one)
