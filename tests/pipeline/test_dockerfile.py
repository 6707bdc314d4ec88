import pytest

from cabestan.pipeline.dockerfile import (
    LONGEST_VALUE,
    MOST_ARGUMENTS,
    MOST_IMAGES,
    MOST_INSTRUCTIONS,
    MOST_STAGES,
    Dockerfile,
    ValueTooLong,
    filled_in,
    parse_dockerfile,
    substitute,
)
from cabestan.pipeline.refused import DockerfileRefused

EVERYTHING = """\
# syntax=docker/dockerfile:1
# shop/base
#
# VERSION 0.2

ARG BASE=debian:12
ARG NOTHING
ARG QUOTED="a" OTHER='b'
FROM --platform=linux/amd64 ${BASE} AS Build
# FROM comment
RUN echo FROM nowhere \\
    # a comment between
    FROM continued
from build as test
FROM scratch
FROM \\
    shop/runtime:1 \\
    AS runtime
COPY --from=build /x /x
FROM runtime
FROM shop/runtime:1
"""


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", Dockerfile((), {})),
        ("FROM debian:12\n", Dockerfile(("debian:12",), {})),
        ("FROM debian:12\r\nRUN x\r\n", Dockerfile(("debian:12",), {})),
        ("FROM", Dockerfile((), {})),
        ("FROM a/b\nFROM a/b\nFROM c/d\n", Dockerfile(("a/b", "c/d"), {})),
        (
            EVERYTHING,
            Dockerfile(
                ("${BASE}", "shop/runtime:1"),
                {"BASE": "debian:12", "NOTHING": "", "QUOTED": "a", "OTHER": "b"},
                "shop/base",
                "0.2",
            ),
        ),
    ],
)
def test_a_dockerfile_tells_its_bases_arguments_name_and_version(text: str, parsed: Dockerfile) -> None:
    assert parse_dockerfile(text) == parsed


@pytest.mark.parametrize(
    ("comments", "named", "version"),
    [
        ("# demo/hello\n#\n# VERSION 0.1", "demo/hello", "0.1"),
        ("# VERSION: 1.2.3-beta", "", "1.2.3-beta"),
        ("# version 7", "", "7"),
        ("## registry.example.org:5000/a/b", "registry.example.org:5000/a/b", ""),
        ("\n\n# a/b\n# c/d", "a/b", ""),
        ("# VERSION 1\n# VERSION 2", "", "1"),
        ("# VERSION 1.0 of something", "", ""),
        ("# VERSION 1.0 beta", "", ""),
        ("# VERSION latest", "", ""),
        ("# VERSION 1;reboot", "", ""),
        ("# VERSION $(id)", "", ""),
        ("# VERSION 1 2", "", ""),
        ("# VERSION", "", ""),
        ("# VERSION 1" + "x" * 41, "", ""),
        ("# a/b is what this is", "", ""),
        ("# hello", "", ""),
        ("# A/B", "", ""),
        ("FROM x\n# a/b\n# VERSION 1", "", ""),
    ],
)
def test_only_leading_comments_of_the_right_form_name_the_image(comments: str, named: str, version: str) -> None:
    parsed = parse_dockerfile(f"{comments}\nFROM debian:12\n")
    assert (parsed.named, parsed.version) == (named, version)


@pytest.mark.parametrize(
    ("reference", "filled"),
    [
        ("debian:12", "debian:12"),
        ("$A", "given"),
        ("${A}/x:${B}", "given/x:default"),
        ("${C:-fallback}", "fallback"),
        ("${B:-fallback}", "default"),
        ("${C}", ""),
        ("${A}${A}", "givengiven"),
    ],
)
def test_arguments_fill_in_by_what_is_given_then_by_their_default(reference: str, filled: str) -> None:
    assert substitute(reference, {"A": "default", "B": "default"}, {"A": "given"}) == filled


def refused(text: str) -> tuple[str, int, str]:
    with pytest.raises(DockerfileRefused) as found:
        parse_dockerfile(text, "web/Dockerfile")
    assert found.value.file == "web/Dockerfile"
    return found.value.code, found.value.line, found.value.what


def test_args_that_double_each_other_are_refused_at_the_line_where_they_get_too_long() -> None:
    text = "ARG A=x\n" + "ARG A=$A$A\n" * 34 + "FROM cabestan/python:3.11\n"
    code, line, what = refused(text)
    assert (code, what) == ("too-large", f"$A$A has more than {LONGEST_VALUE} characters when it is filled in.")
    assert line < 16


def test_what_a_base_stands_for_is_no_longer_than_any_name() -> None:
    assert substitute("$A", {}, {"A": "x" * (LONGEST_VALUE - 2)}) == "x" * (LONGEST_VALUE - 2)
    for reference in ("$A$A", "$" * (LONGEST_VALUE + 1), "${a:-" * 100_000):
        with pytest.raises(ValueTooLong):
            substitute(reference, {}, {"A": "x" * (LONGEST_VALUE - 3)})
    parsed = parse_dockerfile("FROM debian:12\nCOPY --from=$A$A a b\n")
    with pytest.raises(DockerfileRefused) as found:
        filled_in("Dockerfile", parsed, "$A$A", {"A": "x" * LONGEST_VALUE})
    assert (found.value.code, found.value.line) == ("too-large", 2)


@pytest.mark.parametrize(
    ("fits", "one_more", "what"),
    [
        ("FROM a\n" + "RUN x\n" * (MOST_INSTRUCTIONS - 1), "RUN x", f"{MOST_INSTRUCTIONS} instructions"),
        ("FROM a\n" * MOST_STAGES, "FROM a", f"{MOST_STAGES} stages"),
        ("".join(f"COPY --from=i{n} a b\n" for n in range(MOST_IMAGES)), "COPY --from=x a b", f"{MOST_IMAGES} images"),
        ("".join(f"ARG A{n}\n" for n in range(MOST_ARGUMENTS)), "ARG A", f"{MOST_ARGUMENTS} ARGs"),
        ("", "ARG " + " ".join(f"A{n}=$B" for n in range(MOST_ARGUMENTS + 1)), f"{MOST_ARGUMENTS} ARGs"),
    ],
    ids=["instructions", "stages", "images", "args", "args of a line"],
)
def test_one_more_of_anything_than_is_looked_at_is_refused_at_its_line(fits: str, one_more: str, what: str) -> None:
    parse_dockerfile(fits)
    assert refused(f"{fits}{one_more}\n") == ("too-large", fits.count("\n") + 1, f"The file has more than {what}.")


def test_a_comment_of_spaces_comes_to_an_end() -> None:
    assert parse_dockerfile("# VERSION" + " " * 500_000 + "x\nFROM a\n").version == ""


def test_the_line_of_a_base_is_that_of_the_first_one() -> None:
    assert parse_dockerfile("# a\nFROM a AS b\nFROM c\nFROM a\n").lines == {"a": 2, "c": 3}
