"""How many of Git's requests are worked on at the same time: in all, for one project and for one person."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cabestan.errors import Busy

#: how long a request waits for its turn
PATIENCE_SECONDS = 30.0


class Places:
    """Half of all for one project, a quarter for one person: nobody keeps all others out. For one event loop."""

    def __init__(self, whole: int) -> None:
        self._most = (whole, max(1, whole // 2), max(1, whole // 4))
        self._taken: Counter[str] = Counter()
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, project_id: int, user: str) -> AsyncIterator[None]:
        """Raises Busy where none gets free in time."""
        keys = ("", f"project {project_id}", f"user {user}")
        await self._take(keys)
        try:
            yield
        finally:
            await asyncio.shield(self._free(keys))

    async def _take(self, keys: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._freed:
                await self._freed.wait_for(lambda: self._room(keys))
                self._taken.update(keys)
        except TimeoutError as error:
            whole, project, user = self._most
            raise Busy(
                f"{whole} clones, fetches and pushes are worked on at the same time, {project} of one project and "
                f"{user} of one person, and all of these go on.",
                "Try again in a minute; the setting parallel_git says how many there may be.",
            ) from error

    async def _free(self, keys: tuple[str, ...]) -> None:
        async with self._freed:
            self._taken.subtract(keys)
            self._taken += Counter()
            self._freed.notify_all()

    def _room(self, keys: tuple[str, ...]) -> bool:
        return all(self._taken[key] < most for key, most in zip(keys, self._most, strict=True))
