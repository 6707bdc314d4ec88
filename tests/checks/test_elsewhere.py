"""What a commit only points to: submodules and files in Git LFS."""

from __future__ import annotations

from tests.checks.samples import COMPOSE, FILES, found, told

from cabestan.domain.large_files import is_pointer, kept_elsewhere, may_be_pointer
from cabestan.domain.tree import Tree

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 300000\n"
MODULES = '[submodule "theme"]\n\tpath = theme\n\turl = ../theme.git\n[submodule "x"]\n\tpath = lib/x\n'
ATTRIBUTES = "*.txt text\n*.bin filter=lfs diff=lfs merge=lfs -text\n"


def tree(files: dict[str, str], *submodules: str) -> Tree:
    return Tree(frozenset(files), submodules=frozenset(submodules))


def test_a_submodule_that_a_build_would_find_empty_is_refused_at_its_line_of_gitmodules() -> None:
    files = FILES | {".gitmodules": MODULES}
    theme, other = found(files, tree=tree(files, "theme", "lib/x"))
    assert told((other, theme)) == [
        ("submodule", "error", ".gitmodules", 5),
        ("submodule", "error", ".gitmodules", 2),
    ]
    assert str(theme) == (
        ".gitmodules:2:1 theme is a submodule: its files are no part of the commit, and the build finds an empty "
        "folder. Commit the files themselves: git rm --cached theme; rm -rf theme/.git; git add theme. "
        "Where no image needs them, name theme in .dockerignore."
    )


def test_a_submodule_without_a_line_is_named_all_the_same() -> None:
    assert told(found(FILES, tree=tree(FILES, "theme"))) == [("submodule", "error", "theme", 1)]


def test_a_submodule_that_no_build_sees_is_nobodys_business() -> None:
    files = FILES | {".dockerignore": "theme\n"}
    assert found(files, tree=tree(files, "theme")) == ()
    files = {"web/Dockerfile": FILES["Dockerfile"], "docker-compose.yml": f"{COMPOSE}    build: web\n"}
    assert found(files, tree=tree(files, "theme")) == ()
    assert told(found(files, tree=tree(files, "web/theme"))) == [("submodule", "error", "web/theme", 1)]


def test_a_pointer_of_git_lfs_that_a_build_would_find_is_refused() -> None:
    files = FILES | {"logo.bin": POINTER, ".gitattributes": ATTRIBUTES}
    (finding,) = found(files, pointers=lambda: frozenset({"logo.bin"}))
    assert told((finding,)) == [("lfs-pointer", "error", "logo.bin", 1)]
    assert finding.message.startswith("logo.bin is kept in Git LFS: the commit has a pointer in its place")


def test_what_will_be_handed_over_to_git_lfs_is_warned_of() -> None:
    files = FILES | {".gitattributes": ATTRIBUTES}
    assert told(found(files)) == [("lfs-filter", "warning", ".gitattributes", 2)]


def test_a_pointer_is_known_by_its_form() -> None:
    assert is_pointer(POINTER.encode())
    assert may_be_pointer(len(POINTER))
    assert is_pointer(POINTER.replace("oid", "ext-0-foo sha256:1\noid").encode())
    assert not is_pointer(POINTER.replace("git-lfs", "other").encode())
    assert not is_pointer(b"see " + POINTER.encode())


def test_lines_that_hand_files_over_are_known_and_comments_are_not() -> None:
    text = "# *.a filter=lfs\n*.b  -text filter=lfs\n*.c filter=lfsx\n[attr]x filter=lfs\n"
    assert kept_elsewhere(text) == ((2, "*.b"), (4, "[attr]x"))
