"""Ignore files, by the rules of Docker's documentation."""

from __future__ import annotations

import pytest

from cabestan.pipeline.ignoring import (
    LONGEST_PATTERN,
    LONGEST_TOGETHER,
    MOST_PATTERNS,
    ignore_files,
    ignored,
    matching,
)
from cabestan.pipeline.refused import DockerfileRefused


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


def test_the_largest_file_of_the_most_costly_patterns_comes_to_an_end() -> None:
    """Each of them takes seconds for each name where a pattern is matched by itself."""
    pattern = "*a*" * 330
    found = ignored(f"{pattern}b\n" * (LONGEST_TOGETHER // (len(pattern) + 1)))
    assert not any(found.leaves_out(f"{'a' * 980}{number}") for number in range(50))
    assert list(matching(f"{pattern}b", ["a" * 990, "a" * 990 + "b"] * 50)) == ["a" * 990 + "b"] * 50


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("# why\n\n" + "a\n" * (MOST_PATTERNS + 1), MOST_PATTERNS + 3, f"more than {MOST_PATTERNS} patterns"),
        ("a\n" + "*" * (LONGEST_PATTERN + 1), 2, f"more than {LONGEST_PATTERN} characters"),
        ("a" * LONGEST_PATTERN + "\n" + f"{'b' * 999}\n" * 16, 17, f"more than {LONGEST_TOGETHER} characters"),
    ],
    ids=["patterns", "pattern", "together"],
)
def test_an_ignore_file_that_is_too_large_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(DockerfileRefused, match=what) as found:
        ignored(text, "web/.dockerignore")
    assert (found.value.code, found.value.file, found.value.line) == ("too-large", "web/.dockerignore", line)


def test_the_most_that_an_ignore_file_may_have_is_read_to_its_end() -> None:
    assert ignored("a\n" * (MOST_PATTERNS - 1) + "end\n" + "# why\n" * 1000).leaves_out("end")
    assert ignored("b" * LONGEST_PATTERN).leaves_out("b" * LONGEST_PATTERN)
