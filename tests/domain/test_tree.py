from __future__ import annotations

import pytest

from cabestan.domain.tree import MOST_STEPS, LinkRefused, Tree, resolve


@pytest.mark.parametrize(
    ("links", "path", "real"),
    [
        ({}, "a/b", "a/b"),
        ({"Dockerfile": "docker/Dockerfile.prod"}, "Dockerfile", "docker/Dockerfile.prod"),
        ({"a": "b", "b": "./c//d", "c/d": "e"}, "a", "c/e"),
        ({"deploy/compose.yml": "../compose.yml"}, "deploy/compose.yml", "compose.yml"),
        ({"docker": "deploy/docker"}, "docker/web/Dockerfile", "deploy/docker/web/Dockerfile"),
        ({"a/up": ".."}, "a/up/b", "b"),
        ({"here": "."}, "here", ""),
    ],
)
def test_links_within_the_tree_are_followed(links: dict[str, str], path: str, real: str) -> None:
    assert resolve(path, links) == real


@pytest.mark.parametrize(
    ("links", "path", "link", "words"),
    [
        ({"a": "/etc/passwd"}, "a", "a", "a is a symbolic link to /etc/passwd, which leads out of the repository."),
        ({"a": "b", "b": "../x"}, "a", "b", "b is a symbolic link to ../x, which leads out of the repository."),
        ({"a/b": "../../x"}, "a/b/c", "a/b", "a/b is a symbolic link to ../../x, which leads out of the repository."),
        ({"a": ""}, "a", "a", "a is a symbolic link to nothing, which leads out of the repository."),
        ({"a": "b", "b": "a"}, "a", "a", "a is a symbolic link that leads in a circle, or over too many others."),
        ({"a": "a/a"}, "a", "a", "a is a symbolic link that leads in a circle, or over too many others."),
    ],
)
def test_a_link_that_leads_out_or_in_a_circle_is_refused_by_name(
    links: dict[str, str], path: str, link: str, words: str
) -> None:
    with pytest.raises(LinkRefused) as refused:
        resolve(path, links)
    assert (refused.value.link, refused.value.message) == (link, words)


def test_the_longest_chain_that_linux_follows_is_followed_and_no_longer_one() -> None:
    links = {f"l{number}": f"l{number + 1}" for number in range(41)}
    assert resolve("l1", links) == "l41"
    with pytest.raises(LinkRefused):
        resolve("l0", links)


TREE = Tree(
    frozenset({"docker/Dockerfile.prod", "src/a/b.py"}),
    links={
        "Dockerfile": "docker/Dockerfile.prod",
        "code": "src",
        "gone": "docker/nothing",
        "out": "../other",
    },
    submodules=frozenset({"lib/theme"}),
)


def test_the_files_of_a_tree_are_those_that_can_be_asked_for() -> None:
    assert TREE.files == {"docker/Dockerfile.prod", "src/a/b.py", "Dockerfile", "gone", "out"}
    assert TREE.folders == {"docker", "src", "src/a", "lib", "lib/theme"}


def test_a_file_is_there_by_way_of_links_to_it_and_to_its_folder() -> None:
    assert [TREE.has(path) for path in ("Dockerfile", "code/a/b.py", "code/a", "none")] == [True, True, False, False]
    assert TREE.real("code/a/b.py") == "src/a/b.py"
    assert TREE.real("src/a/b.py") == "src/a/b.py"


def test_a_link_that_leads_to_no_file_is_the_cause_that_is_named() -> None:
    with pytest.raises(LinkRefused, match=r"gone is a symbolic link to docker/nothing, where there is no file\."):
        TREE.real("gone")
    with pytest.raises(LinkRefused, match=r"out is a symbolic link to \.\./other"):
        TREE.real("out")


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("conf/", ("conf/a", "conf/sub/b", "conf/to")),
        ("conf", ("conf/a", "conf/sub/b", "conf/to")),
        ("here", ("here/a", "here/sub/b", "here/to")),
        ("here/sub/", ("here/sub/b",)),
        ("gone/", ()),
        ("out/", ()),
    ],
)
def test_what_is_below_a_folder_is_named_by_way_of_it(folder: str, files: tuple[str, ...]) -> None:
    links = {"here": "conf", "conf/to": "a", "out": "../etc"}
    assert Tree(frozenset({"conf/a", "conf/sub/b", "confused"}), links).below(folder) == files


def test_links_over_more_folders_than_anybody_has_are_refused_by_name() -> None:
    there_and_back = "a/" * (MOST_STEPS // 4) + "../" * (MOST_STEPS // 4)
    links = {"l0": f"{there_and_back}l1", "l1": f"{there_and_back}x"}
    with pytest.raises(LinkRefused) as refused:
        resolve("l0", links)
    assert refused.value.message == f"l1 is a symbolic link over more than {MOST_STEPS} folders."
    assert resolve("l1", links) == "x"


def test_thousands_of_links_over_thousands_of_folders_come_to_an_end() -> None:
    """Each took a second."""
    links = {f"l{n}": "a/" * 700 + "../" * 700 + f"l{n + 1}" for n in range(5_000)}
    assert Tree(frozenset(), links).files == frozenset(links)


def test_a_path_longer_than_any_leads_nowhere() -> None:
    path = "l/" * 200_000
    assert resolve(path, {"l": "."}) == path
    assert not Tree(frozenset({"x"}), {"l": "."}).has(path)
