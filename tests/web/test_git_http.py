"""Real Git against the real server."""

from __future__ import annotations

import base64
import gzip
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.engine.world import FILES, World
from tests.repositories import run_git
from tests.samples import set_status
from tests.web.client import application
from tests.web.serving import serving

from cabestan.adapters.git_process import Limits
from cabestan.adapters.git_trees import Bounds
from cabestan.adapters.pkt_lines import FLUSH, pkt_line
from cabestan.domain.access import Role
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.store import users
from cabestan.web import git_bodies, git_http


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
    monkeypatch.setattr("cabestan.web.git_http.Guard.variables", lambda _: {})
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
            set_status(tx, Subject.JOB, 1, status)

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
    assert b"remote: This push to shop/api has more than 100000 bytes (the setting push_bytes)." in done.stderr
    assert b"remote: Nothing of this push was stored. Push fewer commits at a time" in done.stderr
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
    assert b"remote: This push to shop/api moves more than 3 branches and tags." in done.stderr
    assert b"remote: Nothing of this push was stored. Push them in several parts." in done.stderr
    assert world.services.repositories.refs(project.id) == {}
    assert push(world, url(server, "boss"), *refs[1:]).returncode == 0


def bound(world: World, **settings: int) -> None:
    for name, value in settings.items():
        object.__setattr__(world.services.settings, name, value)


def test_a_project_has_so_many_branches_and_tags_at_most(world: World, project: Project, server: str) -> None:
    bound(world, project_refs=3)
    world.checkout.commit(FILES)
    assert push(world, url(server, "boss"), "main", "main:refs/tags/v1").returncode == 0
    done = push(world, url(server, "boss"), "main:refs/heads/one", "main:refs/heads/two")
    assert b"remote: shop/api would have more than 3 branches and tags (project_refs)." in done.stderr
    assert b"remote: Remove those that nobody needs: git push origin --delete NAME" in done.stderr
    swapped = push(world, url(server, "boss"), "main:refs/heads/one", "main:refs/heads/two", ":refs/tags/v1")
    assert swapped.returncode == 0, swapped.stderr
    assert len(world.services.repositories.refs(project.id)) == 3


def test_a_push_of_a_million_files_in_a_few_objects_is_refused_in_words(
    world: World, project: Project, server: str
) -> None:
    bomb = world.checkout.tree_bomb()
    world.checkout.git("tag", "-am", "A tag of it", "v1", bomb)
    for ref in (f"{bomb}:refs/heads/bomb", "v1"):
        done = push(world, url(server, "dev"), ref)
        assert done.returncode != 0
        name = world.checkout.git("rev-parse", "v1" if ref == "v1" else bomb)[:12]
        words = f"remote: shop/api: Commit {name} has more than 50000 files and folders (commit_files); that is more"
        assert words.encode() in done.stderr, done.stderr
        assert b"remote: Leave out what is generated or downloaded (.gitignore), and push again." in done.stderr
        assert b"remote: Nothing of this push was stored." in done.stderr
    assert world.services.repositories.refs(project.id) == {}


def test_a_commit_of_too_many_bytes_is_refused_as_it_is_pushed(world: World, project: Project, server: str) -> None:
    object.__setattr__(world.services.repositories, "bounds", Bounds(bytes=100_000))
    world.checkout.commit({"one": "x" * 60_000, "folder/two": "y" * 60_000})
    done = push(world, url(server, "boss"))
    assert b"has files of more than 100000 bytes (commit_bytes)" in done.stderr
    world.checkout.commit({"one": "x" * 60_000, "folder/two": "y" * 30_000})
    assert push(world, url(server, "boss")).returncode == 0


@pytest.mark.parametrize("name", ["-x", "--upload-pack=touch", "n" * 201])
def test_names_that_are_no_names_are_refused(world: World, project: Project, server: str, name: str) -> None:
    world.checkout.commit(FILES)
    done = push(world, url(server, "dev"), f"main:refs/heads/{name}")
    assert b"is not taken: a name is text of at most 200 bytes and begins with no hyphen." in done.stderr
    assert world.services.repositories.refs(project.id) == {}


def test_zeros_in_a_pack_take_no_memory(world: World, project: Project, server: str) -> None:
    """Some KB that become 80 MB: no file is held in memory whole, and what a commit may weigh is told."""
    object.__setattr__(world.services.repositories, "limits", Limits(memory_bytes=30_000_000))
    object.__setattr__(world.services.repositories, "bounds", Bounds(bytes=50_000_000))
    zeros = world.checkout.path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(80_000_000)
    world.checkout.git("-c", "core.bigFileThreshold=1m", "add", "zeros")
    world.checkout.git("commit", "-qm", "zeros")
    done = push(world, url(server, "boss"))
    assert b"has files of more than 50000000 bytes (commit_bytes)" in done.stderr, done.stderr
    assert world.services.repositories.refs(project.id) == {}


def test_a_push_that_takes_more_memory_than_it_may_is_told(world: World, project: Project, server: str) -> None:
    object.__setattr__(world.services.repositories, "limits", Limits(memory_bytes=9_000_000))
    noise = "".join(f"{number * 7919 % 1000003}" for number in range(1_000_000))
    world.checkout.commit({"large": noise})
    world.checkout.commit({"large": noise + "more"})
    done = push(world, url(server, "boss"))
    assert b"remote: Git could not take this push to shop/api: it is damaged, where Git says so" in done.stderr
    assert b"9000000 bytes (git_memory_bytes)" in done.stderr
    assert str(world.services.settings.data).encode() not in done.stderr
    assert world.services.repositories.refs(project.id) == {}


def ask(server: str, path: str, body: bytes, **headers: str) -> httpx.Response:
    service = path.removeprefix("git-")
    given = {"Content-Type": f"application/x-git-{service}-request"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    return httpx.post(
        f"{server}/shop/api.git/{path}", content=body, auth=("x", "token-of-dev"), headers=given, timeout=30
    )


def test_what_is_packed_is_bounded_as_it_is_unpacked(world: World, project: Project, server: str) -> None:
    """The names of refs in 4 MB that become 4 GB, and the list of a fetch."""
    refs = b"".join(
        pkt_line(b"%s %s refs/heads/%d\0report-status side-band-64k" % (b"0" * 40, b"1" * 40, number))
        for number in range(501)
    )
    pushed = ask(server, "git-receive-pack", gzip.compress(refs + FLUSH), Content_Encoding="gzip")
    assert b"This push to shop/api moves more than 500 branches and tags." in pushed.content
    endless = pkt_line(b"%s %s refs/heads/%s" % (b"0" * 40, b"1" * 40, b"n" * 60_000)) * 400
    pushed = ask(server, "git-receive-pack", gzip.compress(endless), Content_Encoding="gzip")
    assert pushed.status_code == 200
    wants = gzip.compress(pkt_line(b"want " + b"1" * 40) * 1_000_000)
    fetched = ask(server, "git-upload-pack", wants, Content_Encoding="gzip")
    assert fetched.content.startswith(b"00")
    assert b"ERR The list of what is wanted and there is too long. It has at most 4194304 bytes." in fetched.content
    for body in (b"no gzip", gzip.compress(b"0000")[:-4]):
        answer = ask(server, "git-upload-pack", body, Content_Encoding="gzip")
        assert b"ERR The request is not packed as it says." in answer.content
    assert b"encoding is not known" in ask(server, "git-upload-pack", b"", Content_Encoding="br").content


@pytest.mark.parametrize("body", [b"", b"0000", b"zzzz", b"0003", b"00", b"fff0" + b"x" * 10, b"\xff" * 100])
def test_what_is_no_push_ends(world: World, project: Project, server: str, body: bytes) -> None:
    answer = ask(server, "git-receive-pack", body)
    assert answer.status_code in (200, 500), answer.content
    assert world.services.repositories.refs(project.id) == {}


@pytest.mark.parametrize(("path", "status"), [("objects/batch", 422), ("locks/verify", 501)])
def test_git_lfs_is_told_in_its_own_words_that_it_is_not_supported(
    world: World, project: Project, server: str, path: str, status: int
) -> None:
    address = f"{server}/shop/api.git/info/lfs/{path}"
    answer = httpx.post(address, json={"operation": "upload"}, auth=("x", "token-of-dev"), timeout=20)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/vnd.git-lfs+json")
    words = answer.json()["message"]
    assert words.startswith("Git LFS is not supported here")
    assert "`git lfs migrate export --everything --include='*'`" in words
    assert httpx.post(address, json={}, timeout=20).status_code == 401


def unfinished(server: str, path: str, count: int) -> list[socket.socket]:
    """Requests that announce a body and send none of it."""
    host, _, port = server.removeprefix("http://").partition(":")
    login = base64.b64encode(b"x:token-of-dev").decode()
    head = (
        f"POST /shop/api.git/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {login}\r\n"
        f"Content-Type: application/x-{path}-request\r\nContent-Length: 1000\r\n\r\n0032"
    )
    made = [socket.create_connection((host, int(port))) for _ in range(count)]
    for connection in made:
        connection.sendall(head.encode())
    return made


def test_requests_without_an_end_hold_no_process_and_keep_nobody_out(
    world: World, project: Project, server: str, tmp_path: Path
) -> None:
    world.push(project)
    bound(world, parallel_git=4)
    waiting = unfinished(server, "git-upload-pack", 60) + unfinished(server, "git-receive-pack", 60)
    try:
        run_git(tmp_path, "clone", "--quiet", url(server, "dev"), "mine")
        assert (tmp_path / "mine" / "Dockerfile").exists()
        assert not [words for words in processes() if str(world.services.settings.data) in words]
    finally:
        for connection in waiting:
            connection.close()


def processes() -> list[str]:
    """Of Git's backend, by their environments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"http-backend" in (folder / "cmdline").read_bytes():
                found.append((folder / "environ").read_bytes().decode(errors="replace"))
    return found


def test_who_sends_nothing_more_is_told_and_gone(
    world: World, project: Project, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_bodies, "IDLE_SECONDS", 0.1)
    for path in ("git-upload-pack", "git-receive-pack"):
        (connection,) = unfinished(server, path, 1)
        with connection:
            connection.settimeout(20)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))  # noqa: B023
        assert b"HTTP/1.1 200" in answer


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
