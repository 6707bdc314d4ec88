"""Real Git against the real server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.engine.world import FILES, World
from tests.repositories import run_git
from tests.web.client import application
from tests.web.serving import serving

from cabestan.domain.access import Role
from cabestan.domain.project import Project
from cabestan.engine import settings
from cabestan.store import pipelines, users
from cabestan.web import git_http


@pytest.fixture
def project(world: World) -> Project:
    world.user("foreign", other=Role.MAINTAINER)
    world.user("reporter", shop=Role.REPORTER)
    world.user("dev", shop=Role.DEVELOPER)
    world.user("boss", shop=Role.MAINTAINER)
    return world.project()


@pytest.fixture
def server(world: World, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("cabestan.adapters.git_hooks.TRIES", 2)
    with serving(application(world)) as address:
        # the hook must find this server, whose port is known only now
        port = int(address.rpartition(":")[2])
        object.__setattr__(world.services.settings, "port", port)
        yield address


def url(server: str, who: str, project: str = "shop/api") -> str:
    return f"{server.replace('//', f'//x:token-of-{who}@')}/{project}.git"


def push(world: World, address: str, *refs: str) -> subprocess.CompletedProcess[bytes]:
    return run_git(world.checkout.path, "push", address, *(refs or ("main",)), check=False)


def test_a_push_is_stored_and_tells_its_pipeline(world: World, project: Project, server: str, tmp_path: Path) -> None:
    commit = world.checkout.commit(FILES)
    done = push(world, url(server, "boss"))
    assert done.returncode == 0, done.stderr
    assert f"remote: Pipeline 1 for main: {server}/shop/api/pipelines/1".encode() in done.stderr
    (pipeline,) = world.pipelines(project)
    assert (pipeline.commit, pipeline.by) == (commit, "boss")

    for who in ("dev", "reporter"):
        run_git(tmp_path, "clone", "--quiet", url(server, who), who)
        assert (tmp_path / who / "Dockerfile").read_text() == FILES["Dockerfile"]


def test_a_push_without_branches_builds_nothing_and_says_so(world: World, project: Project, server: str) -> None:
    world.checkout.commit(FILES)
    assert push(world, url(server, "boss")).returncode == 0
    world.checkout.git("tag", "v1")
    done = push(world, url(server, "boss"), "v1")
    assert b"Nothing to build in this push." in done.stderr
    assert len(world.pipelines(project)) == 1


@pytest.mark.parametrize(
    ("who", "words"),
    [("nobody", b"Authentication failed"), ("foreign", b"not found"), ("reporter", b"403")],
)
def test_who_may_not_push_cannot(world: World, project: Project, server: str, who: str, words: bytes) -> None:
    world.checkout.commit(FILES)
    done = push(world, url(server, who))
    assert (done.returncode != 0, words in done.stderr) == (True, True), done.stderr
    assert world.services.repositories.refs(project.id) == {}


@pytest.fixture
def branches(world: World, project: Project, server: str) -> dict[str, str]:
    """`main`, `release/1` (protected both) and `more`, with two commits each."""
    settings.protect_branches(world.services, project, ["@default", "release/*"])
    for _ in range(2):
        world.checkout.commit(FILES)
    names = ("main", "release/1", "more")
    assert push(world, url(server, "boss"), *(f"main:refs/heads/{name}" for name in names)).returncode == 0
    return world.services.repositories.refs(project.id)


_PUSHES = {"update": "main:{}", "force": "+main~2:{}", "delete": ":{}"}


@pytest.mark.parametrize("branch", ["main", "release/1", "release/new"])
@pytest.mark.parametrize("how", _PUSHES)
def test_only_maintainers_push_to_protected_branches(
    world: World, project: Project, server: str, branches: dict[str, str], branch: str, how: str
) -> None:
    """The whole push is refused, what would be allowed too."""
    world.checkout.commit({"new": how})
    refs = (_PUSHES[how].format(f"refs/heads/{branch}"), "main:refs/heads/free")
    if how == "delete" and branch == "release/new":
        pytest.skip("nothing is there to delete")
    done = push(world, url(server, "dev"), *refs)
    assert done.returncode != 0
    words = f"remote: {branch} is a protected branch of shop/api: only maintainers may push to it."
    assert words.encode() in done.stderr
    assert b"git push origin HEAD:my-change" in done.stderr
    assert world.services.repositories.refs(project.id) == branches

    if (how, branch) == ("delete", "main"):
        return  # Git itself keeps the branch that clones begin with
    done = push(world, url(server, "boss"), *refs)
    assert done.returncode == 0, done.stderr
    assert world.services.repositories.refs(project.id) != branches


def test_developers_push_to_other_branches(
    world: World, project: Project, server: str, branches: dict[str, str]
) -> None:
    for refs in (("main:refs/heads/new",), ("+main~1:refs/heads/more", "main:refs/tags/v1"), (":refs/heads/more",)):
        done = push(world, url(server, "dev"), *refs)
        assert done.returncode == 0, done.stderr
    assert sorted(world.services.repositories.refs(project.id)) == [
        "refs/heads/main",
        "refs/heads/new",
        "refs/heads/release/1",
        "refs/tags/v1",
    ]


@pytest.mark.parametrize("who", ["dev", "boss"])
def test_nobody_pushes_what_would_show_a_commit_as_another_one(
    world: World, project: Project, server: str, branches: dict[str, str], who: str
) -> None:
    commit = branches["refs/heads/main"]
    other = world.checkout.commit({"docker-compose.yml": "services: {other: {}}\n"})
    ref = f"refs/replace/{commit}"
    done = push(world, url(server, who), f"{other}:{ref}", "main:refs/heads/free")
    assert f"remote: {ref} is not taken: push branches and tags only".encode() in done.stderr
    assert world.services.repositories.refs(project.id) == branches
    # nor is it believed where it is there
    bare = world.services.repositories.path(project.id)
    run_git(world.checkout.path, "push", str(bare), f"{other}:refs/heads/more")
    run_git(bare, "update-ref", ref, other)
    text = world.services.repositories.read(project.id, commit, "docker-compose.yml")
    assert text == FILES["docker-compose.yml"]


@pytest.mark.parametrize(("name", "taken"), [("HEAD", False), ("a\u2028b", True), ("caf\u00e9\u0085", True)])
def test_names_of_branches_that_confuse(
    world: World, project: Project, server: str, branches: dict[str, str], name: str, taken: bool
) -> None:
    done = push(world, url(server, "dev"), f"main:refs/heads/{name}")
    assert (done.returncode == 0, b"Traceback" in done.stderr) == (taken, False), done.stderr


def test_without_protected_branches_developers_push_everywhere(world: World, project: Project, server: str) -> None:
    settings.protect_branches(world.services, project, [])
    world.checkout.commit(FILES)
    assert push(world, url(server, "dev")).returncode == 0


def test_a_hook_that_is_told_nothing_allows_nothing(
    world: World, project: Project, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.adapters.git_hooks.guard_variables", lambda *_: {})
    world.checkout.commit(FILES)
    assert push(world, url(server, "boss"), "main:refs/heads/more").returncode != 0
    assert world.services.repositories.refs(project.id) == {}


@pytest.mark.parametrize("who", ["nobody", "foreign"])
def test_who_may_not_read_cannot_clone(world: World, project: Project, server: str, who: str, tmp_path: Path) -> None:
    world.push(project)
    assert run_git(tmp_path, "clone", url(server, who), "x", check=False).returncode != 0
    assert not (tmp_path / "x").exists()


def test_a_job_clones_its_own_project_while_it_runs_and_does_nothing_else(
    world: World, project: Project, server: str, tmp_path: Path
) -> None:
    world.project("shop/other")
    world.released(project)
    with world.services.database.writing() as tx:
        users.add_token(tx, "token-of-job", kind="job", job_id=1, now=world.clock())

    def clone(name: str, of: str = "shop/api") -> bool:
        return run_git(tmp_path, "clone", "--quiet", url(server, "job", of), name, check=False).returncode == 0

    def running(status: str) -> None:
        with world.services.database.writing() as tx:
            pipelines.update_job(tx, 1, status=status)

    assert not clone("ended")
    running("running")
    assert clone("mine")
    assert not clone("other", "shop/other")
    assert push(world, url(server, "job"), "main:refs/heads/more").returncode != 0
    running("succeeded")
    assert not clone("late")


def test_a_push_over_the_bound_is_refused(world: World, project: Project, server: str) -> None:
    object.__setattr__(world.services.settings, "push_bytes", 100_000)
    blob = "".join(f"{number * 7919 % 1000003}" for number in range(200_000))
    world.checkout.commit({"large": blob})
    done = push(world, url(server, "boss"))
    assert done.returncode != 0
    assert b"exceeds" in done.stderr
    assert world.services.repositories.refs(project.id) == {}


def test_a_push_of_too_many_branches_and_tags_is_refused(
    world: World, project: Project, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.adapters.git_hooks.MOST_REFS", 3)
    git_http.write_hooks(world.services)
    world.checkout.commit(FILES)
    refs = [f"main:refs/{kind}/{name}" for kind in ("heads", "tags") for name in ("one", "two")]
    done = push(world, url(server, "boss"), *refs)
    assert done.returncode != 0
    assert b"remote: This push moves 4 branches and tags; at most 3 are taken at once." in done.stderr
    assert b"remote: Nothing of this push was stored. Push them in several parts." in done.stderr
    assert world.services.repositories.refs(project.id) == {}
    assert push(world, url(server, "boss"), *refs[1:]).returncode == 0


def test_a_push_larger_than_other_requests_is_taken(world: World, project: Project, server: str) -> None:
    """A tree of its own: Git sends chunks from 1 MiB on."""
    noise = "".join(chr(33 + (n * n * 31 + n // 7) % 90) for n in range(3_000_000))
    world.checkout.commit({"large": noise})
    done = run_git(world.checkout.path, "-c", "core.compression=0", "push", url(server, "boss"), "main", check=False)
    assert done.returncode == 0, done.stderr


def test_a_push_while_nobody_takes_note_is_stored_all_the_same(world: World, project: Project, server: str) -> None:
    object.__setattr__(world.services.settings, "port", 1)
    world.checkout.commit(FILES)
    done = push(world, url(server, "boss"))
    assert done.returncode == 0
    assert b"the pipeline starts as soon as it does" in done.stderr
    assert world.pipelines(project) == ()


@pytest.mark.parametrize("path", ["HEAD", "objects/info/packs", "config", "../1.git/config", "info/refs/x", ""])
def test_only_the_smart_protocol_is_spoken(world: World, project: Project, server: str, path: str) -> None:
    answer = httpx.get(f"{server}/shop/api.git/{path}", auth=("x", "token-of-dev"), timeout=20)
    assert answer.status_code == 404


def test_the_hooks_address_is_the_hooks_alone(world: World, project: Project, server: str) -> None:
    world.push(project)
    for brought in ({}, {"X-Cabestan-Hook": "wrong"}, {"X-Cabestan-Hook": "token-of-dev"}):
        answer = httpx.post(f"{server}/internal/pushes/1", json={"by": "dev"}, headers=brought, timeout=20)
        assert answer.status_code == 403
    assert world.pipelines(project) == ()
