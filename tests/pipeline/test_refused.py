import re

import pytest

from cabestan.pipeline.dockerfile import parse_dockerfile, substitute
from cabestan.pipeline.refused import DockerfileRefused, is_below, refuse

REGISTRY = "127.0.0.1:5600"
OWN = f"{REGISTRY}/shop/api"
OTHERS = f"{REGISTRY}/vic/app:0.2"


def refused(text: str) -> DockerfileRefused:
    with pytest.raises(DockerfileRefused) as found:
        judge(text)
    return found.value


def judge(text: str) -> None:
    arguments = parse_dockerfile(text).arguments
    refuse(
        "Dockerfile", text, REGISTRY, OWN, lambda written: substitute(written, arguments, {"CI_REGISTRY_IMAGE": OWN})
    )


@pytest.mark.parametrize(
    "instruction",
    [
        f"FROM {OTHERS}",
        f"FROM \\\n{OTHERS}",
        f"FROM {REGISTRY}/shop/apis",
        f"FROM {REGISTRY}/shop",
        f"FROM {REGISTRY}/library/python:3.11",
        "FROM localhost:5600/vic/app:0.2",
        "FROM 127.0.0.2:5600/vic/app@sha256:ab",
        "FROM LOCALHOST:5600/vic/app",
        "FROM ${WHERE}/vic/app",
        "FROM 127.0.0.1${NOTHING}:5600/vic/app",
        f"COPY --from={OTHERS} / /x",
        f"RUN --mount=type=bind,from={OTHERS},target=/x true",
        f"ONBUILD COPY --from={OTHERS} / /x",
        f"RUN true <<CMD\nCOPY --from={OTHERS} / /x\nCMD",
        f"CMD true \\\u00a0\nCOPY --from={OTHERS} / /x",
        f"CMD true \\ \t\n\nRUN\nCOPY --from={OTHERS} / /x",
    ],
)
def test_an_image_of_another_project_is_refused(instruction: str) -> None:
    found = refused(f"ARG WHERE={REGISTRY}\nFROM base\n{instruction}\n")
    assert found.code == "image-of-others"
    assert re.match(r"Dockerfile:[3-6]: .* is not this project's own image\.", found.message)


@pytest.mark.parametrize(
    "instruction",
    [
        f"FROM {OWN}",
        f"FROM {OWN}:0.1",
        f"FROM {OWN}/base@sha256:ab",
        "FROM ${CI_REGISTRY_IMAGE}/base",
        "FROM debian:12",
        "FROM registry.example.org:5600/vic/app",
        "FROM 127.0.0.1:5601/vic/app",
        "FROM localhost",
        "FROM build-${TARGETARCH}",
        f"RUN curl http://{OTHERS}",
    ],
)
def test_other_images_may_be_built_on(instruction: str) -> None:
    judge(f"# syntax=docker/dockerfile:1.4\nFROM base\n{instruction}\n")


@pytest.mark.parametrize(
    "top", ["# why=so\n# escape=`", "# hello\n# escape=`", "# escape=`", "# check=skip=all\n# escape=`"]
)
@pytest.mark.parametrize("joint", ["`", "\\"])
def test_no_reading_of_the_directives_hides_an_image(top: str, joint: str) -> None:
    found = refused(f"{top}\nFROM base\nCMD true {joint}\nCOPY --from={OTHERS} / /x\n")
    assert found.code == "image-of-others"


@pytest.mark.parametrize("reference", ["${A%x}", "${A:?no}", "a$", "${A:+b}"])
def test_a_name_that_the_plan_cannot_tell_is_refused(reference: str) -> None:
    found = refused(f"ARG A=ax\nFROM {reference}\n")
    assert (found.code, found.file, found.line) == ("image-name-unclear", "Dockerfile", 2)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("# syntax=docker/dockerfile:1", True),
        ("#syntax = docker.io/docker/dockerfile-upstream:master", True),
        ("# syntax=docker/dockerfile@sha256:0123", True),
        ("# Syntax: see below", True),
        ("# syntax=evil/frontend", False),
        ("# SYNTAX=docker/dockerfiles:1", False),
        ("// syntax=evil/frontend", False),
        ('{"syntax": "evil/frontend"}', False),
        ("# syntax=evil.example/docker/dockerfile:1", False),
    ],
)
def test_only_dockers_own_frontend_reads_dockerfiles(line: str, allowed: bool) -> None:
    text = f"{line}\nFROM base\n"
    if allowed:
        judge(text)
    else:
        assert (refused(text).code, refused(text).line) == ("dockerfile-frontend", 1)


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\rFROM"])
def test_characters_that_readers_take_differently_are_refused(character: str) -> None:
    found = refused(f"FROM base\nRUN true{character} x\n")
    assert (found.code, found.line) == ("bad-character", 2)


def test_lines_may_end_as_on_windows() -> None:
    judge("FROM base\r\nRUN true\r\n")


def test_a_name_that_only_begins_alike_is_not_below() -> None:
    assert [is_below(f"{OWN}{end}", OWN) for end in ("", ":1", "/web", "@sha256:ab", "s", "-web")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
