from __future__ import annotations

import hashlib
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.repositories import Checkout

from cabestan.adapters.git import Repositories
from cabestan.adapters.git_objects import Objects
from cabestan.adapters.git_process import Limits
from cabestan.adapters.git_trees import DEEPEST, LONGEST_PATH, Bounds, Trees, parse_tree_object
from cabestan.domain.tree import LONGEST_TARGET, LinkRefused
from cabestan.errors import DeadlineExceeded, Invalid, NotFound, StepFailed


@pytest.fixture
def repositories(checkout: Checkout) -> Repositories:
    """Whose project 1 has the checkout's objects."""
    made = Repositories(checkout.path.parent / "repositories", Bounds(entries=100, bytes=10_000_000))
    made.create(1, "main")
    objects = checkout.path / ".git" / "objects"
    (made.path(1) / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    return made


def listed(repositories: Repositories, commit: str) -> list[tuple[str, str, int, bytes]]:
    with closing(repositories.files(1, commit)) as files:
        return [(file.path, f"{file.mode:o}", file.size, b"".join(file.content)) for file in files]


def test_the_files_of_a_commit_come_with_their_modes_and_every_byte(
    repositories: Repositories, checkout: Checkout
) -> None:
    (checkout.path / "a").mkdir()
    (checkout.path / "a" / "windows.txt").write_bytes(b"one\r\n\xff\0")
    (checkout.path / "run").write_bytes(b"#!/bin/sh\n")
    (checkout.path / "run").chmod(0o755)
    (checkout.path / "link").symlink_to("../a/windows.txt")
    (checkout.path / ".gitattributes").write_bytes(b"* text eol=crlf\n")
    (checkout.path / "empty").write_bytes(b"")
    checkout.git("-c", "core.autocrlf=false", "add", "--all")
    checkout.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},theme")
    checkout.git("commit", "-qm", "all")
    commit = checkout.git("rev-parse", "HEAD")
    stored = checkout.git("cat-file", "-s", f"{commit}:a/windows.txt")
    assert listed(repositories, commit) == [
        (".gitattributes", "100644", 16, b"* text eol=crlf\n"),
        ("a/windows.txt", "100644", int(stored), b"one\n\xff\0" if stored == "6" else b"one\r\n\xff\0"),
        ("empty", "100644", 0, b""),
        ("link", "120000", 16, b"../a/windows.txt"),
        ("run", "100755", 10, b"#!/bin/sh\n"),
        ("theme", "160000", 0, b""),
    ]


def test_what_is_not_read_of_a_file_is_passed_over_and_large_ones_come_in_pieces(
    repositories: Repositories, checkout: Checkout
) -> None:
    large = "".join(f"{number * 7919 % 1000003}\n" for number in range(200_000))
    commit = checkout.commit({"a": large, "b": "small", "c": large})
    with closing(repositories.files(1, commit)) as files:
        assert len(next(next(files).content)) < 100_000
        assert b"".join(next(files).content) == b"small"
        pieces = list(next(files).content)
    assert hashlib.sha256(b"".join(pieces)).digest() == hashlib.sha256(large.encode()).digest()
    assert max(map(len, pieces)) <= 64 * 1024


def test_names_that_are_no_text_keep_their_bytes(repositories: Repositories, checkout: Checkout) -> None:
    blob = checkout.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = checkout.git("mktree", "-z", stdin=b"100644 blob " + blob.encode() + b"\tbad\xff\nname\0")
    assert listed(repositories, checkout.git("commit-tree", "-m", "x", tree))[0][0] == "bad\udcff\nname"


def test_a_million_files_in_a_few_objects_are_refused_in_no_time(
    repositories: Repositories, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_objects: list[str] = []
    ask = Objects._ask
    monkeypatch.setattr(Objects, "_ask", lambda self, what, name: (read_objects.append(name), ask(self, what, name))[1])
    bombs = checkout.tree_bomb(), checkout.tree_bomb(levels=40, width=16)
    for bomb in bombs:
        read_objects.clear()
        for read in (repositories.paths, lambda _, commit: listed(repositories, commit)):
            with pytest.raises(Invalid, match=f"{bomb[:12]} has more than 100 files and folders"):
                read(1, bomb)
        assert len(read_objects) < 300


def test_files_are_counted_to_the_last_one(repositories: Repositories, checkout: Checkout) -> None:
    fits = checkout.commit({f"folder/{number}": "" for number in range(99)})
    assert (len(repositories.paths(1, fits).plain), len(listed(repositories, fits))) == (99, 99)
    over = checkout.commit({f"folder/{number}": "" for number in range(100)})
    with pytest.raises(Invalid, match="more than 100 files and folders"):
        repositories.paths(1, over)


def nested(checkout: Checkout, levels: int, name: str) -> str:
    inside = "100644 blob " + checkout.git("hash-object", "-w", "--stdin", stdin=b"x")
    for _ in range(levels + 1):
        inside = "040000 tree " + checkout.git("mktree", stdin=f"{inside}\t{name}\n".encode())
    return checkout.git("commit-tree", "-m", "Deep", inside.split()[-1])


def test_depth_and_length_of_paths_are_bounded(repositories: Repositories, checkout: Checkout) -> None:
    assert len(repositories.paths(1, nested(checkout, DEEPEST, "n")).plain) == 1
    with pytest.raises(Invalid, match=f"folders more than {DEEPEST} levels deep"):
        repositories.paths(1, nested(checkout, DEEPEST + 1, "n"))
    assert [len(path) for path in repositories.paths(1, nested(checkout, 3, "n" * 249)).plain] == [999]
    with pytest.raises(Invalid, match=f"a path of more than {LONGEST_PATH} bytes"):
        repositories.paths(1, nested(checkout, 3, "n" * 250))


def test_the_bytes_of_a_commit_are_bounded(repositories: Repositories, checkout: Checkout) -> None:
    commit = checkout.commit({"a": "x" * 6_000_000, "b": "x" * 6_000_000})
    with closing(repositories.files(1, commit)) as files:
        assert next(files).size == 6_000_000
        with pytest.raises(Invalid, match="files of more than 10000000 bytes"):
            next(files)


def test_git_has_a_bound_of_memory(repositories: Repositories, checkout: Checkout) -> None:
    """A file that Git keeps as the difference from another one is put together in memory."""
    noise = "".join(f"{number * 7919 % 1000003}" for number in range(500_000))
    commits = [checkout.commit({"a": noise + end}) for end in ("", "more")]
    checkout.git("repack", "-adfq")
    assert {listed(repositories, commit)[0][3][:9] for commit in commits} == {noise[:9].encode()}
    bounded = Repositories(checkout.path.parent / "repositories", limits=Limits(memory_bytes=5_000_000))
    with pytest.raises(StepFailed, match="takes more memory or time than it may have"):
        [listed(bounded, commit) for commit in commits]


def test_git_has_a_bound_of_time(repositories: Repositories, checkout: Checkout) -> None:
    commit = checkout.commit({"a": "x" * 7_000_000})

    def read_slowly() -> None:
        with closing(repositories.files(1, commit, seconds=0)) as files:
            content = next(files).content
            time.sleep(0.2)
            list(content)

    with pytest.raises(DeadlineExceeded, match="Git took more than 0 s"):
        read_slowly()


@pytest.mark.parametrize("name", ["main", "-x", "", "0" * 40, "HEAD:a", "1" * 39 + "\n"])
def test_a_commit_is_asked_for_by_its_hash(repositories: Repositories, checkout: Checkout, name: str) -> None:
    checkout.commit({"a": "1"})
    with closing(repositories.files(1, name)) as files, pytest.raises(NotFound):
        next(files)


@pytest.mark.parametrize("data", [b"x", b"100644 a", b"9 a\0" + b"1" * 20, b"\0\0"])
def test_a_damaged_tree_is_told(data: bytes) -> None:
    with pytest.raises(Invalid, match="damaged"):
        list(parse_tree_object(data))


def test_no_process_is_left(repositories: Repositories, checkout: Checkout) -> None:
    commit = checkout.commit({"a": "x" * 1_000_000})
    before = _children()
    with closing(repositories.files(1, commit)) as files:
        next(files)
        assert _children() - before
    assert not _children() - before


def _children() -> set[str]:
    """Of this process, which may have others of earlier tests."""
    return set("".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split())


@pytest.mark.parametrize("name", [b"link", b"\xff"])
def test_a_link_with_a_target_longer_than_any_is_refused_where_a_push_is_weighed(
    repositories: Repositories, checkout: Checkout, name: bytes
) -> None:
    for size in (LONGEST_TARGET, LONGEST_TARGET + 1):
        blob = checkout.git("hash-object", "-w", "--stdin", stdin=b"x" * size)
        inside = checkout.git("mktree", "-z", stdin=f"120000 blob {blob}\t".encode() + name + b"\0")
        tree = checkout.git("mktree", stdin=f"040000 tree {inside}\tfolder\n".encode())
        commit = checkout.git("commit-tree", "-m", "x", tree)
        with Objects(repositories.path(1), Limits()) as objects:
            trees = Trees(objects, Bounds(), weighed=True)
            if size == LONGEST_TARGET:
                trees.check(commit)
                continue
            with pytest.raises(LinkRefused) as refused:
                trees.check(commit)
    shown = name.decode(errors="replace")
    assert refused.value.message == f"{shown} is a symbolic link with a target of more than {LONGEST_TARGET} bytes."
