"""Ignore files, by the rules of Docker's documentation."""

from __future__ import annotations

import pytest

from cabestan.pipeline.ignoring import ignore_files, ignored


@pytest.mark.parametrize(
    ("text", "left_out", "kept"),
    [
        ("node_modules\n", ["node_modules", "node_modules/a/b"], ["web/node_modules", "node_modules2"]),
        ("**/node_modules", ["node_modules", "a/b/node_modules/c"], ["a/node_modules2"]),
        ("/dist/\n", ["dist", "dist/a"], ["a/dist"]),
        ("*.log", ["a.log"], ["b/a.log"]),
        ("**/*.log", ["a.log", "b/c/a.log"], ["a.log2"]),
        ("*", ["a", "a/b"], []),
        ("**", ["a", "a/b"], []),
        ("a/**", ["a/b", "a/b/c"], ["b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z/y"], ["a/bz", "z"]),
        ("**foo", ["foo", "a/foo"], ["afoo"]),
        ("foo**", ["foo", "foobar", "foobar/x"], ["afoo"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[a-c]x", ["ax", "cx/y"], ["dx"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("docs\n!docs/README.md", ["docs/a"], ["docs/README.md"]),
        ("*\n!src\n!go.*\nsrc/secret", ["a", "src/secret"], ["src/a/b", "go.mod"]),
        ("# a\n \n  b  \n", ["b"], ["# a", "a"]),
        (" # a", ["# a"], ["a"]),
        ("!", [], ["a"]),
        ("../a", [], ["a", "b/a"]),
        (r"a\*b", ["a*b"], ["axb"]),
        ("a.b", ["a.b"], ["axb"]),
        ("\ufeffa\r\nb\r\n", ["a", "b"], []),
        (".", [], ["a"]),
    ],
)  # fmt: skip
def test_the_last_pattern_that_matches_counts(text: str, left_out: list[str], kept: list[str]) -> None:
    found = ignored(text)
    assert {path: found.leaves_out(path) for path in (*left_out, *kept)} == (
        dict.fromkeys(left_out, True) | dict.fromkeys(kept, False)
    )


def test_a_pattern_of_many_stars_comes_to_an_end() -> None:
    found = ignored("*a" * 200 + "b\n" + "**/a" * 200 + "/b\n")
    assert not found.leaves_out("/".join(["a" * 50] * 20))


def test_that_of_a_dockerfile_goes_before_that_of_its_context() -> None:
    assert ignore_files("docker/web/Dockerfile", "./docker") == (
        "docker/web/Dockerfile.dockerignore",
        "docker/.dockerignore",
    )
