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
        f"FROM 127.0.0.2:5600/vic/app@sha256:{'ab' * 32}",
        "FROM LOCALHOST:5600/vic/app",
        "FROM ${WHERE}/vic/app",
        "FROM 127.0.0.1${NOTHING}:5600/vic/app",
        f"COPY --from={OTHERS} / /x",
        f"RUN --mount=type=bind,from={OTHERS},target=/x true",
        f"ONBUILD COPY --from={OTHERS} / /x",
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
        f"FROM {OWN}/base@sha256:{'ab' * 32}",
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
    "instruction",
    [
        f'FROM "{OTHERS}"',
        f"FROM '{OTHERS}'",
        'FROM 12""7.0.0.1:5600/vic/app:0.2',
        "FROM 12\\7.0.0.1:5600/vic/app:0.2",
        f'FROM --platform=linux/amd64 "{OTHERS}"',
        f'FROM "{OTHERS}" AS named',
        f"FROM {OTHERS} named",
        "FROM a\u202f/b",
        "FROM a\u00a0AS b",
        f'COPY --chown="1 2" --from={OTHERS} / /x',
        "RUN --network=host true",
        "RUN --security=insecure true",
        "RUN --cabestan=1 true",
        "CMD --flag",
        "COPY --parents a b",
        "FETCH http://x",
        "1 2 3",
        "RUN true <<EOF\nno end",
        'RUN echo "a <<EOF b"\nEOF',
        "RUN x=$((1 <<2))\n2))",
        "RUN true \\\\\nFROM x",
        f"CMD true \\\u00a0\nCOPY --from={OTHERS} / /x \\\\",
        "ONBUILD FETCH x",
        # a here-document to one reader, instructions to another one
        f'RUN echo "it\'s <<CMD x"\nFROM {OTHERS}\nCMD',
        f'RUN ["echo\'", "b <<CMD c"]\nFROM {OTHERS}\nCMD',
        f"RUN cat <<CMD ; echo it's\nFROM {OTHERS}\nCMD",
        f"RUN echo ${{x^^}} <<CMD\nFROM {OTHERS}\nCMD",
        f"RUN echo ${{}} <<CMD\nFROM {OTHERS}\nCMD",
        "RUN cat ${x:-<<CMD}\nCMD",
        "RUN echo \u00e0 <<CMD\nCMD",
        f"ONBUILD RUN <<CMD\nFROM {OTHERS}\nCMD",
        "ONBUILD RUN 'x' <<CMD\nCMD",
        # a byte of the character is a space to BuildKit
        f"COPY --chown=\u00e0--from={OTHERS} /x /y",
        f"RUN --mount=type=tmpfs,target=/\u00e0--mount=from={OTHERS},target=/x cmd",
        "\uff03 syntax=vic/frontend",
        f"RUN {'x' * 70_000}",
        f"RUN true{f' {chr(92)}{chr(10)} && true' * 9_000}",
        f"RUN <<E\n{'x' * 70_000}\nE",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_its_line(instruction: str) -> None:
    found = refused(f"FROM base\n{instruction}\n")
    assert (found.code, found.file) == ("dockerfile-unclear", "Dockerfile"), found.message
    assert found.line >= 2
    assert found.remedy


@pytest.mark.parametrize("instruction", ["COPY --from={} / /x", "RUN --mount=type=bind,from={},target=/x true"])
def test_dots_that_git_might_transliterate_are_no_dots(instruction: str) -> None:
    found = refused(f"FROM base\n{instruction.format(OTHERS.replace('.', chr(0x2024)))}\n")
    assert (found.code, found.line) in (("dockerfile-unclear", 2), ("image-name-unclear", 2))


@pytest.mark.parametrize(
    "instruction",
    [
        "RUN echo $((1 << 3)) $((1<<3))",
        "RUN bash -c 'cat <<< \"$x\"'",
        "RUN echo '<<' \"a<<b\"",
        "RUN psql $URL 2>&1 <<EOF | tee log\nselect 1;\nEOF",
        "RUN <<-'END' cat >/x\n\tone\n\tEND",
        "RUN --mount=type=cache,target=/root/.cache <<EOF\npip install x\nEOF",
        "COPY <<a.txt <<b.txt /x/\n1\na.txt\n2\nb.txt",
        "ONBUILD RUN echo $((1 << 3))",
        "RUN echo \u00e0 ${x}",
    ],
)
def test_what_is_read_in_one_way_passes(instruction: str) -> None:
    judge(f"FROM base\n{instruction}\nUSER 1\n")


@pytest.mark.parametrize(
    ("instruction", "what", "remedy"),
    [
        ("RUN --network=host true", "not allowed", "Leave the flag out"),
        (
            "RUN --security=insecure true",
            "RUN with --security=insecure is not supported",
            "RUN takes --mount, --network",
        ),
        ("COPY --parents a b", "COPY with --parents", "--chmod, --chown, --from, --link"),
        ("CMD --flag", "CMD with --flag", "CMD takes no flags"),
        ("RUN cat <<EOF", "The here-document EOF has no end", "Put EOF on a line of its own"),
        ("FROM a b c", "FROM names one image", "FROM IMAGE AS NAME"),
        ("RUN sed 's/\\(a/b/' <<EOF\nEOF", "Whether <<EOF begins", "a RUN of its own"),
        ("\uff03 syntax=x", "no instruction", "plain letters"),
        (f"RUN {'x' * 70_000}", "65,000 bytes", "a script that is copied"),
    ],
)
def test_what_is_refused_has_a_remedy_of_its_own(instruction: str, what: str, remedy: str) -> None:
    found = refused(f"FROM base\n{instruction}\n")
    assert what in found.message
    assert remedy in found.remedy


def test_no_shape_of_an_instruction_takes_work_that_grows_with_its_square() -> None:
    """Each of these took minutes."""
    judge(f"FROM base\nRUN {'a' + chr(92) + chr(10)}{('a' + chr(92) + chr(10)) * 30_000}b\n")
    marks = "".join("x <<a " for _ in range(10_000))
    judge("FROM base\nRUN " + marks + "\n" + "a\n" * 10_000)
    assert refused("FROM base\nCOPY " + "--link " * 60_000 + "a b\n").code == "dockerfile-unclear"


@pytest.mark.parametrize("value", ['"127.0.0.1:5600/vic/app"', '12""7.0.0.1:5600/vic/app', "12\\7.0.0.1:5600/vic/app"])
def test_no_spelling_of_an_argument_hides_an_image(value: str) -> None:
    found = refused(f"ARG BASE={value}\nFROM ${{BASE}}\n")
    assert found.code in ("image-of-others", "image-name-unclear")


def test_an_argument_may_name_those_before_it() -> None:
    judge("ARG V=12\nARG BASE=debian:${V}\nFROM $BASE\n")
    assert refused(f"ARG A={REGISTRY}\nARG B=$A/vic/app\nFROM $B\n").code == "image-of-others"


@pytest.mark.parametrize("mount", ["a" * 140_000, "type=bind\r,from=x", "'a\rb'", '"type=bind,from=x'])
def test_a_mount_that_no_reader_of_csv_takes_is_refused_and_no_crash(mount: str) -> None:
    assert refused(f"FROM debian\nRUN --mount={mount} true").line == 2


def test_a_here_document_is_no_instruction() -> None:
    judge(f"FROM base\nRUN cat <<CMD\nCOPY --from={OTHERS} / /x\nCMD\n")


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
        (f"# syntax=docker/dockerfile{':a' * 60}!", False),
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
    assert [is_below(f"{OWN}{end}", OWN) for end in ("", ":1", "/web", "@sha256:{'ab' * 32}", "s", "-web")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
