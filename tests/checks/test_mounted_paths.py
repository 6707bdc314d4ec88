"""Paths of the repository under `volumes`, compared with what the commit has."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.samples import COMPOSE, FILES, found, told

from cabestan.compose.commit_files import MOST_BYTES, MOST_FILES
from cabestan.domain.tree import Tree
from cabestan.errors import Invalid

#: more than services are given of the commit
LARGE = "x" * (MOST_BYTES + 1)
COMMITTED = {"src/words.py": LARGE, "conf/app.ini": LARGE, "data/.gitkeep": "", "deep/er/a": LARGE}


def checked(volume: str) -> list[tuple[str, str, str, int]]:
    files = FILES | COMMITTED | {"docker-compose.yml": f"{COMPOSE}    volumes:\n      - {volume}\n"}
    return told(found(files))


@pytest.mark.parametrize(
    "volume",
    [
        "./src:/home/app/src", "./src/words.py:/home/app/words.py", "./conf/app.ini:/etc/app.ini:ro", "./deep:/a",
        "./conf/:/conf", "./deep/er:/a", "{type: bind, source: src, target: /a}",
    ],
)  # fmt: skip
def test_what_the_commit_has_is_refused_with_its_line(volume: str) -> None:
    assert checked(volume) == [("mounted-source", "error", "docker-compose.yml", 5)]


@pytest.mark.parametrize("volume", ["./data:/data", "./other:/a", "./src2:/a", "./src/new:/a"])
def test_what_the_commit_lacks_is_a_volume_as_is_a_folder_that_git_only_keeps(volume: str) -> None:
    assert checked(volume) == []


def test_a_name_with_a_dot_is_only_warned_of_where_the_commit_has_nothing_there() -> None:
    assert checked("./settings.ini:/a") == [("path-is-volume", "warning", "docker-compose.yml", 5)]


def test_the_words_tell_what_is_there_and_what_to_do() -> None:
    files = FILES | COMMITTED | {"docker-compose.yml": f"{COMPOSE}    volumes: [./src:/home/app/src]\n"}
    (finding,) = found(files)
    assert (finding.message, finding.remedy) == (
        "src is a folder of the commit, with src/words.py, but a volume starts empty and keeps what it has: "
        "its files would never be seen.",
        "Remove it, and COPY src into the image; data belongs into a path that the commit lacks.",
    )


def test_a_path_is_seen_from_the_folder_of_the_compose_file() -> None:
    compose = f"{COMPOSE}    volumes: [./conf:/conf]\n"
    files = {"deploy/compose.yml": compose, "Dockerfile": FILES["Dockerfile"], "deploy/conf/a": LARGE}
    sets = (("deploy/compose.yml",),)
    assert told(found(files, sets=sets)) == [("mounted-source", "error", "deploy/compose.yml", 4)]
    files = {"deploy/compose.yml": compose, "Dockerfile": FILES["Dockerfile"], "conf/a": LARGE}
    assert told(found(files, sets=sets)) == []


def test_a_submodule_is_no_place_for_a_volume() -> None:
    files = FILES | {"docker-compose.yml": f"{COMPOSE}    volumes: [./theme:/theme]\n", ".dockerignore": "theme\n"}
    tree = Tree(frozenset(files), submodules=frozenset({"theme"}))
    assert told(found(files, tree=tree)) == [("mounted-source", "error", "docker-compose.yml", 4)]


def mounted(committed: dict[str, str], volume: str = "./f:/f", **changes: Any) -> list[tuple[str, str, str, int]]:
    files = FILES | committed | {"docker-compose.yml": f"{COMPOSE}    volumes: ['{volume}']\n"}

    def read(path: str) -> str:
        if files[path] == "binary":
            raise Invalid(f"{path} is no text.", "")
        return files[path]

    return told(found(files, read=read, **changes))


@pytest.mark.parametrize(
    "committed",
    [{"f": LARGE}, {"f": "binary"}, {"f/a": "", "f/b": "binary"}, {f"f/{n}": "" for n in range(MOST_FILES + 1)}],
)
def test_what_cannot_be_given_is_refused_and_never_a_volume(committed: dict[str, str]) -> None:
    assert mounted(committed) == [("mounted-source", "error", "docker-compose.yml", 4)]


@pytest.mark.parametrize("committed", [{"f": ""}, {"f/a": "", "f/b/c": ""}])
def test_few_small_texts_are_given_as_they_are(committed: dict[str, str]) -> None:
    assert mounted(committed) == [("files-given", "warning", "docker-compose.yml", 4)]


def test_what_a_link_within_the_tree_leads_to_is_given() -> None:
    files = FILES | {"real/a": "", "docker-compose.yml": f"{COMPOSE}    env_file: link/a\n"}
    tree = Tree(frozenset(files), {"link": "real"})
    by_way = lambda path: files[path.replace("link/", "real/")]  # noqa: E731
    assert told(found(files, tree=tree, read=by_way)) == [("env-file", "warning", "docker-compose.yml", 4)]
