from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from cabestan.errors import Busy
from cabestan.web import git_places
from cabestan.web.git_places import Places


def test_one_person_and_one_project_leave_places_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_places, "PATIENCE_SECONDS", 0.01)

    async def walk() -> list[bool]:
        places, told = Places(8), []
        async with AsyncExitStack() as stack:
            for project, user in ((1, "a"), (1, "a"), (1, "a"), (1, "b"), (1, "b"), (1, "c"), (2, "c"), (2, "a")):
                try:
                    await stack.enter_async_context(places.taken(project, user))
                    told.append(True)
                except Busy:
                    told.append(False)
        async with places.taken(1, "a"):
            told.append(True)
        return told

    assert asyncio.run(walk()) == [True, True, False, True, True, False, True, False, True]


def test_who_waits_gets_the_place_that_is_freed() -> None:
    async def walk() -> list[str]:
        places, order = Places(1), []

        async def work(name: str) -> None:
            async with places.taken(1, name):
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(*(work(name) for name in "abcdef"))
        return order

    assert sorted(asyncio.run(walk())) == list("abcdef")
