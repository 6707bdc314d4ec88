"""Paths of the repository under `volumes`, compared with what the commit has."""

from __future__ import annotations

import pytest
from tests.checks.samples import COMPOSE, FILES, found, told

from cabestan.domain.tree import Tree

COMMITTED = {"src/words.py": "", "conf/app.ini": "", "data/.gitkeep": "", "deep/er/a": ""}


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
    files = {"deploy/compose.yml": compose, "Dockerfile": FILES["Dockerfile"], "deploy/conf/a": ""}
    sets = (("deploy/compose.yml",),)
    assert told(found(files, sets=sets)) == [("mounted-source", "error", "deploy/compose.yml", 4)]
    files = {"deploy/compose.yml": compose, "Dockerfile": FILES["Dockerfile"], "conf/a": ""}
    assert told(found(files, sets=sets)) == []


def test_a_submodule_is_no_place_for_a_volume() -> None:
    files = FILES | {"docker-compose.yml": f"{COMPOSE}    volumes: [./theme:/theme]\n", ".dockerignore": "theme\n"}
    tree = Tree(frozenset(files), submodules=frozenset({"theme"}))
    assert told(found(files, tree=tree)) == [("mounted-source", "error", "docker-compose.yml", 4)]
