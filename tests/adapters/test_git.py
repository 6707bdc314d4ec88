from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.repositories import Checkout

from cabestan.adapters import git
from cabestan.adapters.git import FILE_BYTES, CommitInfo, Repositories
from cabestan.adapters.git_entries import Entry, parse_blobs, parse_entries
from cabestan.domain.tree import LinkRefused, Tree
from cabestan.errors import Invalid, NotFound

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 300000\n"


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    made = Repositories(tmp_path / "repositories")
    made.create(1, "main")
    return made


def test_a_tree_is_its_files_links_and_submodules() -> None:
    output = (
        "100644 blob aaaa       3\ta b/ü.txt\0"
        "100755 blob bbbb  123456\trun\tme\0"
        "120000 blob cccc       1\tlink\0"
        "160000 commit dddd       -\tsubmodule\0"
    )
    assert list(parse_entries(output)) == [
        Entry("100644", "aaaa", 3, "a b/ü.txt"),
        Entry("100755", "bbbb", 123456, "run\tme"),
        Entry("120000", "cccc", 1, "link"),
        Entry("160000", "dddd", 0, "submodule"),
    ]
    assert list(parse_entries("")) == []


def test_a_pushed_commit_is_found_by_branch_tag_and_id(repositories: Repositories, checkout: Checkout) -> None:
    assert repositories.refs(1) == {}
    commit = checkout.commit({"a": "1", "sub/b": "22"}, "Ünï title\n\nAnd more.".encode())
    checkout.git("tag", "v1")
    checkout.push(repositories.path(1), "main", "v1")

    assert repositories.refs(1) == {"refs/heads/main": commit, "refs/tags/v1": commit}
    when = datetime.fromtimestamp(int(checkout.git("log", "-1", "--format=%ct")), UTC)
    for revision in ("main", "v1", commit, commit[:10]):
        assert repositories.commit(1, revision) == CommitInfo(
            commit, "Ünï title", "Somebody", "somebody@example.org", when, "Ünï title\n\nAnd more."
        )
    assert repositories.paths(1, commit).plain == {"a", "sub/b"}
    assert repositories.read(1, commit, "sub/b") == "22"


def test_links_are_followed_within_the_commit_and_what_it_only_points_to_is_told(
    repositories: Repositories, checkout: Checkout
) -> None:
    checkout.commit({"docker/Dockerfile.prod": "FROM a\n", "logo.bin": POINTER, "note.txt": "n" * len(POINTER)})
    links = {"Dockerfile": "docker/Dockerfile.prod", "alias": "docker", "out": "/etc/passwd", "ü/up": "../note.txt"}
    for link, target in links.items():
        (checkout.path / link).parent.mkdir(exist_ok=True)
        (checkout.path / link).symlink_to(target)
    checkout.git("add", "--all")
    checkout.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib/theme")
    checkout.git("commit", "--quiet", "--message=links")
    checkout.push(repositories.path(1))
    commit = checkout.git("rev-parse", "HEAD")

    assert repositories.paths(1, commit) == Tree(
        plain=frozenset({"docker/Dockerfile.prod", "logo.bin", "note.txt"}),
        links=links,
        submodules=frozenset({"lib/theme"}),
    )
    assert repositories.read(1, commit, "Dockerfile") == "FROM a\n"
    assert repositories.read(1, commit, "alias/Dockerfile.prod") == "FROM a\n"
    assert repositories.read(1, commit, "ü/up") == "n" * len(POINTER)
    with pytest.raises(LinkRefused, match="out is a symbolic link to /etc/passwd, which leads out of the repository"):
        repositories.read(1, commit, "out")
    assert repositories.pointers(1, commit) == {"logo.bin"}


def test_blobs_are_told_apart_by_their_sizes() -> None:
    answer = b"aa blob 3\n1\n2\nbb missing\ncc blob 0\n\ndd blob 2\nxy\n"
    assert parse_blobs(answer) == {"aa": b"1\n2", "cc": b"", "dd": b"xy"}


@pytest.mark.parametrize("revision", ["none", "--all", "-1", "", "0" * 40])
def test_a_revision_that_is_not_there_is_not_found(
    repositories: Repositories, checkout: Checkout, revision: str
) -> None:
    checkout.commit({"a": "1"})
    checkout.push(repositories.path(1))
    with pytest.raises(NotFound, match="There is no commit"):
        repositories.commit(1, revision)


def test_bytes_that_are_no_text_are_shown_as_well_as_can_be(repositories: Repositories, checkout: Checkout) -> None:
    """A commit must not be able to stop the server: it looks at all repositories at every start."""
    blob = checkout.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = checkout.git("mktree", "-z", stdin=b"100644 blob " + blob.encode() + b"\tbad\xff\0")
    raw = f"tree {tree}\nauthor A\xff <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nBad \xff title\n".encode("latin-1")
    commit = checkout.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=raw)
    (repositories.path(1) / "objects").mkdir(exist_ok=True)
    checkout.git("update-ref", "refs/heads/main", commit)
    checkout.push(repositories.path(1))
    refs = repositories.path(1) / "packed-refs"
    refs.write_bytes(commit.encode() + b" refs/heads/odd\xff\n")

    assert repositories.refs(1) == {"refs/heads/main": commit, "refs/heads/odd\ufffd": commit}
    assert repositories.commit(1, commit) == CommitInfo(
        commit, "Bad \ufffd title", "A\ufffd", "a@b", datetime.fromtimestamp(1, UTC), "Bad \ufffd title"
    )
    assert repositories.paths(1, commit).plain == {"bad\ufffd"}


def test_a_file_that_is_too_large_no_text_or_not_there_is_refused(
    repositories: Repositories, checkout: Checkout
) -> None:
    (checkout.path / "binary").write_bytes(b"\xff\xfe")
    checkout.git("add", "binary")
    checkout.git("commit", "-qm", "one")
    binary = checkout.git("rev-parse", "HEAD")
    large = checkout.commit({"large": "x" * (FILE_BYTES + 1), "fits": "x" * FILE_BYTES})
    checkout.push(repositories.path(1))

    with pytest.raises(Invalid, match="binary is not a text file in UTF-8"):
        repositories.read(1, binary, "binary")
    with pytest.raises(Invalid, match=f"large has {FILE_BYTES + 1} bytes"):
        repositories.read(1, large, "large")
    assert len(repositories.read(1, large, "fits")) == FILE_BYTES
    with pytest.raises(NotFound, match="has no file none"):
        repositories.read(1, large, "none")


@pytest.mark.parametrize("path", ["docker-compose.yml", "folder", "link"])
def test_a_file_that_is_not_there_is_no_failure_of_git(
    repositories: Repositories, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (checkout.path / "link").symlink_to("nowhere")
    checkout.git("add", "link")
    commit = checkout.commit({"folder/file": "1"})
    checkout.push(repositories.path(1))
    said: list[str] = []
    monkeypatch.setattr(git._log, "warning", lambda what, **more: said.append(what), raising=False)
    with pytest.raises(NotFound, match=f"Commit {commit[:12]} has no file"):
        repositories.read(1, commit, path)
    assert said == []


def test_making_a_repository_twice_keeps_what_is_in_it(repositories: Repositories, checkout: Checkout) -> None:
    commit = checkout.commit({"a": "1"})
    checkout.push(repositories.path(1))
    repositories.create(1, "other")
    assert repositories.refs(1) == {"refs/heads/main": commit}
    assert (repositories.path(1) / "HEAD").read_text() == "ref: refs/heads/main\n"
    repositories.set_default_branch(1, "other")
    assert (repositories.path(1) / "HEAD").read_text() == "ref: refs/heads/other\n"


def test_gits_own_environment_does_not_reach_it(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert repositories.refs(1) == {}


def test_what_never_changes_is_asked_once_and_a_branch_each_time(
    repositories: Repositories, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = git._git
    monkeypatch.setattr(git, "_git", lambda *words, **more: (asked.append(words[2]), ask(*words, **more))[1])
    repositories.create(1, "main")
    commit = checkout.commit({"a": "one"})
    checkout.push(repositories.path(1), "HEAD:refs/heads/main")
    asked.clear()
    for _ in range(3):
        assert repositories.read(1, commit, "a") == "one"
        assert repositories.paths(1, commit) == Tree(frozenset({"a"}))
    assert sorted(asked) == ["cat-file", "cat-file", "ls-tree"]
    tree = Tree(frozenset({"a"}))
    assert repositories.read(1, "main", "a", tree) == "one"
    checkout.commit({"a": "two"})
    checkout.push(repositories.path(1), "HEAD:refs/heads/main")
    assert repositories.read(1, "main", "a", tree) == "two"
