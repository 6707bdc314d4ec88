"""A push that is followed: real Git against the real server, what it sets off done by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.terminal import hear_interrupts
from tests.engine.world import FILES, World
from tests.repositories import run_git
from tests.web.client import application
from tests.web.serving import serving

from cabestan.domain.access import Role
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.store import users
from cabestan.store.variables import Scope
from cabestan.web import pushed
from cabestan.web.front.bounds import Bounds
from cabestan.web.live import Streams

_SECONDS = 30


@dataclass
class Pushing:
    """Pushes of somebody's, as they are followed."""

    world: World
    project: Project
    address: str
    folder: Path
    streams: Streams
    count: int = 0

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        self.count += 1
        output = self.folder / f"push-{self.count}"
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
        command = ["git", "-C", str(self.world.checkout.path), "push", self.address, *(words or ("main",))]
        with output.open("wb") as file:
            return subprocess.Popen(
                command, stderr=file, env=environment, start_new_session=True, preexec_fn=hear_interrupts
            )

    @property
    def said(self) -> list[str]:
        """What the author of the last one has read."""
        lines = (self.folder / f"push-{self.count}").read_text().replace("\r", "\n").split("\n")
        return [line.removeprefix("remote: ").rstrip() for line in lines if line.startswith("remote: ")]

    def reads(self, words: str) -> None:
        eventually(lambda: any(words in line for line in self.said), lambda: f"{words}: {self.said}")

    def follows_nothing(self) -> None:
        """Nobody's place is taken, and no process of Git's is left."""
        eventually(lambda: not self.streams._of_user, lambda: f"{self.streams._of_user}")
        eventually(lambda: not _below(os.getpid(), "http-backend"), lambda: "Git runs")


def eventually(condition: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.01)


def _below(parent: int, word: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"PPid:\t{parent}\n" in (folder / "status").read_text():
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return [command for command in found if word in command]


@pytest.fixture
def pushing(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Pushing]:
    world.user("boss", shop=Role.MAINTAINER)
    project = world.project()
    monkeypatch.setattr(pushed, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pushed, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(pushed, "_SILENCE_SECONDS", 0.05)  # signs of life, of which Git shows nothing
    object.__setattr__(world.services.settings, "push_follow_seconds", 600)
    app = application(world)
    with serving(app) as server:
        object.__setattr__(world.services.settings, "port", int(server.rpartition(":")[2]))
        address = f"{server.replace('//', '//x:token-of-boss@')}/shop/api.git"
        yield Pushing(world, project, address, tmp_path, app.state.followed_pushes)


def test_a_push_is_followed_until_staging_serves(world: World, pushing: Pushing) -> None:
    world.checkout.commit(FILES)
    git = pushing.begin()
    pushing.reads("Ctrl-C ends this alone")
    eventually(lambda: not _below(os.getpid(), "http-backend"), lambda: "Git runs while its push is followed")
    world.durable.run()
    assert git.wait(_SECONDS) == 0
    server = world.services.settings.public_url
    staging = world.deployments(world.environment(pushing.project, "staging"))[0]
    assert pushing.said[:2] == [
        f"Pipeline 1 for main: {server}/shop/api/pipelines/1",
        "The push is stored, and followed here for at most 10 min. Ctrl-C ends this alone, and nothing of the work.",
    ]
    assert "Release 1 is made." in pushing.said
    assert pushing.said[-2:] == [
        f"staging: serving at {staging.url}",
        "production: deployment 2 waits for an approval: cabestan approve 2",
    ]
    pushing.follows_nothing()


def test_a_failed_build_is_told_with_its_last_lines_and_the_push_is_stored(world: World, pushing: Pushing) -> None:
    world.jobs.exits["build", 1] = Exit(1)
    end = b"no such file\x1b]0;owned\x07\r\n------\r\n\x1b[31mthe last line\x1b[0m\n"
    world.jobs.output["build"] = b"x" * 20_000 + b"\n" + end
    commit = world.checkout.commit(FILES)
    git = pushing.begin()
    pushing.reads("Ctrl-C ends this alone")
    world.durable.run()
    assert git.wait(_SECONDS) == 0
    assert world.services.repositories.refs(pushing.project.id) == {"refs/heads/main": commit}
    assert pushing.said[-6] == "✗ failed     build  (4 s): The build ended before it was done. Its last lines:"
    assert pushing.said[-4:] == [
        "    | no such file",
        "    | the last line",
        "Pipeline 1 failed.",
        f"  See {pushing.said[0].partition(': ')[2]}",
    ]


@pytest.mark.parametrize("how", ["no-follow", "setting"])
def test_a_push_that_is_not_to_be_followed_ends_at_once(world: World, pushing: Pushing, how: str) -> None:
    if how == "setting":
        object.__setattr__(world.services.settings, "push_follow_seconds", 0)
    world.checkout.commit(FILES)
    options = ("-o", "no-follow") if how == "no-follow" else ()
    assert pushing.begin(*options, "main").wait(_SECONDS) == 0
    assert pushing.said[1:] == ["To follow it: cabestan watch 1"]
    assert [pipeline.status for pipeline in world.pipelines(pushing.project)] == ["created"]


def test_an_option_that_is_not_known_is_told(world: World, pushing: Pushing) -> None:
    world.checkout.commit(FILES)
    options = ("-o", "no-follow", "-o", "ci.\x1b[2Jskip", "main")
    assert pushing.begin(*options).wait(_SECONDS) == 0
    assert pushing.said[0] == "There is no push option ci.skip: no-follow is one."


@pytest.mark.parametrize("count", [20, 21, 9000])
def test_a_push_has_few_options(world: World, pushing: Pushing, count: int) -> None:
    world.checkout.commit(FILES)
    options = [word for number in range(count) for word in ("-o", f"{number}-{'x' * 40}")]
    object.__setattr__(world.services.settings, "push_follow_seconds", 0)
    git = pushing.begin(*options, "main")
    pushing.reads("There is no push option" if count == 20 else "more than")
    git.wait(_SECONDS)
    assert bool(world.pipelines(pushing.project)) == (count == 20)


def test_ctrl_c_ends_following_and_nothing_else(world: World, pushing: Pushing) -> None:
    world.checkout.commit(FILES)
    git = pushing.begin()
    pushing.reads("Ctrl-C ends this alone")
    os.killpg(git.pid, signal.SIGINT)
    assert git.wait(_SECONDS) != 0
    pushing.follows_nothing()
    world.durable.run()
    (pipeline,) = world.pipelines(pushing.project)
    assert pipeline.status == "succeeded"


def test_after_its_time_it_says_how_to_go_on(world: World, pushing: Pushing) -> None:
    object.__setattr__(world.services.settings, "push_follow_seconds", 1)
    world.checkout.commit(FILES)
    assert pushing.begin().wait(_SECONDS) == 0
    assert pushing.said[-1] == "It goes on, and is not followed here any longer. To follow it: cabestan watch 1"
    assert [pipeline.status for pipeline in world.pipelines(pushing.project)] == ["created"]


def test_who_gets_no_place_is_told_where_to_look(world: World, pushing: Pushing) -> None:
    world.checkout.commit(FILES)
    with pushing.streams.one_of("boss"):
        pushing.streams._per_user = 1
        assert pushing.begin().wait(_SECONDS) == 0
    assert pushing.said[-1] == "Too many pushes are followed just now. To follow it: cabestan watch 1"


def test_who_may_not_see_it_any_more_follows_it_no_more(
    world: World, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed, "RIGHTS_SECONDS", 0.05)
    world.checkout.commit(FILES)
    git = pushing.begin()
    pushing.reads("Ctrl-C ends this alone")
    with world.services.database.writing() as tx:
        users.set_role(tx, users.get(tx, "boss").id, "shop", None)
    assert git.wait(_SECONDS) == 0
    assert pushing.said[-1] == "You may not see this project any more, or your token has ended."


def test_several_branches_are_told_apart_and_tags_and_deletions_set_off_nothing(world: World, pushing: Pushing) -> None:
    world.checkout.commit(FILES)
    world.checkout.git("tag", "v1")
    git = pushing.begin("main", "main:refs/heads/more", "v1")
    pushing.reads("Ctrl-C ends this alone")
    world.durable.run()
    assert git.wait(_SECONDS) == 0
    assert [line.partition(":")[0] for line in pushing.said[:2]] == ["Pipeline 1 for main", "Pipeline 2 for more"]
    assert "[more] Release 2 is made." in pushing.said
    assert "[more]   No environment takes more by itself: cabestan deploy 2 -e ENV" in pushing.said
    for words in (("v1:refs/tags/v2",), (":refs/heads/more",)):
        assert pushing.begin(*words).wait(_SECONDS) == 0
        assert pushing.said == [pushed._NOTHING]


def test_a_push_of_many_branches_is_not_followed(
    world: World, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed, "_FOLLOWED", 1)
    world.checkout.commit(FILES)
    assert pushing.begin("main", "main:refs/heads/more").wait(_SECONDS) == 0
    assert pushing.said[2:] == ["To follow one of them: cabestan watch ID"]


def test_no_secret_and_nothing_that_a_terminal_obeys_is_told(world: World, pushing: Pushing) -> None:
    settings.put(world.services, Scope(pushing.project.id), "KEY", "canary-secret", secret=True, by="boss")
    world.jobs.exits["build", 1] = Exit(1)
    world.jobs.output["build"] = b"the key is canary-secret\r\n\x1b[2J\x1b]0;owned\x07\x9b1m\x08x\n"
    world.checkout.commit(FILES)
    git = pushing.begin()
    pushing.reads("Ctrl-C ends this alone")
    world.durable.run()
    assert git.wait(_SECONDS) == 0
    assert "    | the key is [secret]" in pushing.said
    written = "".join(pushing.said)
    assert [word for word in ("canary", "\x1b", "\x9b", "\x08", "\x07", "owned") if word in written] == []


def test_a_server_that_is_stopped_says_so(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.user("boss", shop=Role.MAINTAINER)
    project = world.project()
    monkeypatch.setattr(pushed, "_LOOK_SECONDS", 0.02)
    object.__setattr__(world.services.settings, "push_follow_seconds", 600)
    app = application(world)
    world.checkout.commit(FILES)
    with serving(app) as server:
        object.__setattr__(world.services.settings, "port", int(server.rpartition(":")[2]))
        address = f"{server.replace('//', '//x:token-of-boss@')}/shop/api.git"
        pushing = Pushing(world, project, address, tmp_path, app.state.followed_pushes)
        git = pushing.begin()
        pushing.reads("Ctrl-C ends this alone")
    assert git.wait(_SECONDS) == 0
    assert pushing.said[-1] == (
        "Cabestan is being stopped. The push is stored; what it set off goes on when Cabestan is back."
    )


def test_what_cannot_be_told_leaves_the_push_stored_and_answered(
    world: World, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(pushed, "progress_of", broken)
    commit = world.checkout.commit(FILES)
    assert pushing.begin().wait(_SECONDS) == 0
    assert pushing.said[-1].endswith("(ValueError). The push is stored.")
    assert world.services.repositories.refs(pushing.project.id) == {"refs/heads/main": commit}


def test_few_are_followed_where_few_connections_are_taken() -> None:
    assert [Bounds(connections=count).pushes for count in (2, 16, 200, 2000)] == [1, 2, 25, 50]


def test_two_pushes_at_once_are_each_told_of_their_own(world: World, pushing: Pushing) -> None:
    """Whichever hook looked: what somebody else took note of is found by branch and commit."""
    world.checkout.commit(FILES)
    run_git(world.checkout.path, "push", str(world.services.repositories.path(pushing.project.id)), "main:more")
    git = pushing.begin("-o", "no-follow", "main")
    assert git.wait(_SECONDS) == 0
    assert [line.partition(":")[0] for line in pushing.said] == ["Pipeline 1 for main", "To follow it"]
    assert len(world.pipelines(pushing.project)) == 2
