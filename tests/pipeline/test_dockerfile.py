import pytest

from cabestan.pipeline.dockerfile import Dockerfile, parse_dockerfile, substitute

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
