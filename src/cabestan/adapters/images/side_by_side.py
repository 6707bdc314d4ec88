"""Images that do not begin with each other are made side by side: each waits for the network half of its time."""

import os
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from cabestan.adapters.images.recipes import ImageRecipe

#: how many at a time
AT_ONCE = max(2, min(4, os.cpu_count() or 1))


def make_each(recipes: Iterable[ImageRecipe], make: Callable[[ImageRecipe, threading.Event], None]) -> None:
    """Calls `make` for each recipe, after the one that it begins with. Raises the first failure.

    Nothing more is begun then, and the event tells those under way to give up; this waits until they have.
    """
    waiting, given_up = list(recipes), threading.Event()
    under_way: dict[str, threading.Thread] = {}
    ended: SimpleQueue[tuple[str, Exception | None]] = SimpleQueue()

    def work(recipe: ImageRecipe) -> None:
        failure: Exception | None = None
        try:
            make(recipe, given_up)
        except Exception as error:  # it is the waiting thread's to raise
            failure = error
        ended.put((recipe.reference, failure))

    try:
        while waiting or under_way:
            while len(under_way) < AT_ONCE and (recipe := _next(waiting, under_way)):
                waiting.remove(recipe)
                # a daemon: a server that is stopped meanwhile does not wait for it
                thread = threading.Thread(target=work, args=(recipe,), name=f"image {recipe.name}", daemon=True)
                under_way[recipe.reference] = thread
                thread.start()
            reference, failure = ended.get()
            under_way.pop(reference).join()
            if failure:
                raise failure
    finally:
        given_up.set()
        for thread in under_way.values():
            thread.join()


def _next(waiting: list[ImageRecipe], under_way: Iterable[str]) -> ImageRecipe | None:
    """One whose base is made."""
    unmade = {recipe.reference for recipe in waiting}.union(under_way)
    return next((recipe for recipe in waiting if recipe.base not in unmade), None)
