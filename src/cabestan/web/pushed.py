"""What the author of a push is told in the terminal, once it is stored: which pipelines it set off, and how they go on.

It costs a task of the event loop and the connection, no process and no thread but while it looks. Whoever goes away,
or may not be told any more, ends it; the work goes on.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing

from cabestan.domain.narration import told
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.plain_text import plain_line
from cabestan.domain.progress import Progress, outcome
from cabestan.domain.project import Project
from cabestan.engine.building.progress import progress_of
from cabestan.engine.changes import Changes
from cabestan.engine.services import Services
from cabestan.errors import Busy, TooMany
from cabestan.store import pipelines as store
from cabestan.web.live import RIGHTS_SECONDS, Streams

NO_FOLLOW = "no-follow"
_BRANCHES = "refs/heads/"
#: of one push, so many pipelines are followed
_FOLLOWED = 10
#: between two looks at the least; at the most, for what was not told of; and until the connection needs a sign of life
_PAUSE_SECONDS, _LOOK_SECONDS, _SILENCE_SECONDS = 0.5, 5.0, 15.0
#: characters of a branch's name or of an option
_WIDTH = 200
_NOTHING = (
    "Nothing to build in this push. A branch that is pushed sets off a pipeline; a tag, and what is deleted, does not."
)


class Pushed:
    """One push, by somebody who may see the project as long as `allowed` says so."""

    def __init__(
        self, services: Services, project: Project, user: str, streams: Streams, allowed: Callable[[], bool]
    ) -> None:
        self._services = services
        self._project = project
        self._user = user
        self._streams = streams
        self._allowed = allowed
        self._newest_before = 0

    def look_before(self) -> None:
        """What is there before the push was not set off by it."""
        with self._services.database.reading() as tx:
            newest = store.page(tx, self._project.id, limit=1)
        self._newest_before = newest[0].id if newest else 0

    async def lines(self, moved: Mapping[str, str], options: Sequence[str]) -> AsyncGenerator[Sequence[str], None]:
        """As they come; empty ones where nothing has been said for a while. `moved` has refs and their commits."""
        unknown = [option for option in options if option != NO_FOLLOW]
        yield [f"There is no push option {plain_line(option, _WIDTH)}: {NO_FOLLOW} is one." for option in unknown]
        pushed = {ref.removeprefix(_BRANCHES): commit for ref, commit in moved.items() if _is_pushed(ref, commit)}
        started = await asyncio.to_thread(self._set_off_by, pushed)
        yield [line for pipeline in started for line in self._opening(pipeline)] if pushed else [_NOTHING]
        followed = [pipeline for pipeline in started if not pipeline.status.ended]
        if not followed:
            return
        if NO_FOLLOW in options or not self._seconds or len(followed) > _FOLLOWED:
            yield [_later(followed)]
            return
        try:
            with self._streams.one_of(self._user):
                async with aclosing(self._followed(followed)) as told_of:
                    async for more in told_of:
                        yield more
        except (TooMany, Busy):
            yield [f"Too many pushes are followed just now. {_later(followed)}"]

    def stopped(self) -> Sequence[str]:
        """Where the server is being stopped meanwhile."""
        return ["Cabestan is being stopped. The push is stored; what it set off goes on when Cabestan is back."]

    @property
    def _seconds(self) -> int:
        return self._services.settings.push_follow_seconds

    def _set_off_by(self, pushed: Mapping[str, str]) -> list[Pipeline]:
        """By what was pushed, whoever of two that pushed at once made them."""
        if not pushed:
            return []
        with self._services.database.reading() as tx:
            made = store.since(tx, self._project.id, self._newest_before)
        newest = {pipeline.branch: pipeline for pipeline in made if pushed.get(pipeline.branch) == pipeline.commit}
        return list(newest.values())

    def _opening(self, pipeline: Pipeline) -> list[str]:
        page = f"{self._services.settings.public_url}/{self._project.name}/pipelines/{pipeline.id}"
        first = f"Pipeline {pipeline.id} for {plain_line(pipeline.branch, _WIDTH)}: {page}"
        why_not = f"  It does not start. {pipeline.reason}"  # the platform's own words
        return [first, why_not] if pipeline.status.ended else [first]

    async def _followed(self, pipelines: Sequence[Pipeline]) -> AsyncGenerator[Sequence[str], None]:
        yield [
            f"The push is stored, and followed here for at most {_length(self._seconds)}. Ctrl-C ends this alone, and "
            "nothing of the work."
        ]
        telling = _Telling(pipelines)
        clock = asyncio.get_running_loop().time
        end, rights_until, said = clock() + self._seconds, clock() + RIGHTS_SECONDS, clock()
        async with _News(self._services.changes, self._project.name) as news:
            while True:
                news.forget()
                lines = await asyncio.to_thread(telling.look, self._services)
                if lines or clock() - said >= _SILENCE_SECONDS:
                    yield lines
                    said = clock()
                if not telling.open:
                    return
                if clock() >= end:
                    yield [f"It goes on, and is not followed here any longer. {_later(pipelines)}"]
                    return
                if clock() >= rights_until:
                    if not await asyncio.to_thread(self._allowed):
                        yield ["You may not see this project any more, or your token has ended."]
                        return
                    rights_until = clock() + RIGHTS_SECONDS
                await news.come(end - clock())


class _Telling:
    """Which pipelines go on still, and what was told of them."""

    def __init__(self, pipelines: Iterable[Pipeline]) -> None:
        self.open = {pipeline.id: pipeline.branch for pipeline in pipelines}
        self._told: dict[int, Progress] = {}
        self._named = len(self.open) > 1

    def look(self, services: Services) -> list[str]:
        """The lines about what has changed."""
        lines = []
        for key, branch in list(self.open.items()):
            now = progress_of(services, key)
            before = f"[{plain_line(branch, _WIDTH)}] " if self._named else ""
            lines += [f"{before}{line}" for line in told(self._told.get(key), now)]
            self._told[key] = now
            if outcome(now):
                del self.open[key]
        return lines


class _News:
    """Whether something has changed in a project."""

    def __init__(self, changes: Changes, project: str) -> None:
        self._changes, self._project = changes, project
        self._something = asyncio.Event()

    async def __aenter__(self) -> "_News":
        self._listening = asyncio.create_task(self._listen())
        await asyncio.sleep(0)  # so that it listens
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.cancel()

    def forget(self) -> None:
        self._something.clear()

    async def come(self, seconds: float) -> None:
        """When something has changed, or it is time to look all the same."""
        await asyncio.sleep(max(0.0, min(_PAUSE_SECONDS, seconds)))
        try:
            async with asyncio.timeout(max(0.0, min(_LOOK_SECONDS, seconds))):
                await self._something.wait()
        except TimeoutError:
            pass

    async def _listen(self) -> None:
        async for change in self._changes.listen():
            if change and change.project == self._project:
                self._something.set()


def _is_pushed(ref: str, commit: str) -> bool:
    return ref.startswith(_BRANCHES) and bool(commit.strip("0"))


def _later(pipelines: Sequence[Pipeline]) -> str:
    if len(pipelines) > 1:
        return "To follow one of them: cabestan watch ID"
    return f"To follow it: cabestan watch {pipelines[0].id}"


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
