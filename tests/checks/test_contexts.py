"""What an image takes from the folder that it is built from, before anything is built."""

from __future__ import annotations

import pytest
from tests.checks.samples import COMPOSE, DOCKERFILE, FILES, found, told

from cabestan.checks.contexts import MOST_CHARACTERS, MOST_SOURCES, MOST_WILDCARDS
from cabestan.domain.tree import Tree
from cabestan.pipeline.dockerfile import MOST_STAGES
from cabestan.pipeline.ignoring import MOST_PATTERNS
from cabestan.pipeline.taken import Taken, taken

SOURCES = {"src/app.py": "", "src/lib/a.py": "", "package.json": "", "docs/a.md": ""}


def missing(lines: str, files: dict[str, str] | None = None, **changes: object) -> list[tuple[str, str, str, int]]:
    everything = FILES | SOURCES | {"Dockerfile": f"FROM cabestan/python:3.11\n{lines}USER 1001\n"} | (files or {})
    return told(found(everything, **changes))


REFUSED = [("copy-missing", "error", "Dockerfile", 2)]


@pytest.mark.parametrize(
    "line",
    [
        "COPY . .", "COPY src /a", "COPY ./src/ package.json /a/", "COPY /src/app.py ../package.json /a/",
        "COPY package*.json s?c /a/", "COPY src/*/*.py /a/", "COPY --chown=1001:1001 src /a", 'COPY ["src", "/a"]',
        "COPY $WHAT /a", 'COPY "src x" /a', "COPY --from=other nothing /a", "ADD https://example.org/a.tgz /a/",
        "ADD git@example.org:a/b.git /a", "RUN --mount=type=cache,target=/c nothing",
        "RUN --mount=target=/src,source=src true", "RUN --mount=from=x,source=nothing,target=/a true", "ENV a=nothing",
        "COPY <<EOF /a\nb\nEOF", "COPY Dockerfile .dockerignore /a/",
    ],
)  # fmt: skip
def test_what_is_there_or_cannot_be_told_is_well(line: str) -> None:
    assert missing(f"{line}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "COPY nothing /a", "COPY src nothing /a/", "ADD src/nothing.tgz /a/", "COPY *.rb /a/", "COPY src/app.py/x /a",
        'COPY ["nothing", "/a"]', "RUN --mount=type=bind,source=nothing,target=/a true",
        "RUN --mount=src=nothing,target=/a true",
    ],
)  # fmt: skip
def test_a_source_that_the_commit_lacks_is_refused_with_its_line(line: str) -> None:
    assert missing(f"{line}\n") == REFUSED


def test_what_an_ignore_file_leaves_out_is_as_good_as_missing_and_the_file_is_named() -> None:
    files = {".dockerignore": "docs\nsrc/*\n!src/lib\n"}
    assert missing("COPY docs /a\n", files) == REFUSED
    assert missing("COPY src/app.py /a\n", files) == REFUSED
    assert missing("COPY src src/lib src/*b /a/\n", files) == []
    (finding,) = found(FILES | SOURCES | files | {"Dockerfile": f"{DOCKERFILE}COPY docs/*.md /a/\n"})
    assert str(finding) == (
        "Dockerfile:3:1 docs/*.md is left out by .dockerignore, so the build will not find it. "
        "Take it out of .dockerignore, or write !docs/*.md at its end."
    )


def test_the_ignore_file_beside_a_dockerfile_goes_before_that_of_the_context() -> None:
    assert missing("COPY docs /a\n", {".dockerignore": "docs", "Dockerfile.dockerignore": "src"}) == []
    assert missing("COPY docs /a\n", {"Dockerfile.dockerignore": "docs"}) == REFUSED


def test_sources_are_looked_for_in_the_context_that_the_compose_file_names() -> None:
    files = {"docker-compose.yml": f"{COMPOSE}    build: ./src\n", "src/Dockerfile": f"{DOCKERFILE}COPY src /a\n"}
    assert told(found(SOURCES | files)) == [("copy-missing", "error", "src/Dockerfile", 3)]
    files["src/Dockerfile"] = f"{DOCKERFILE}COPY lib app.py ../lib /a/\n"
    assert told(found(SOURCES | files)) == []


def test_stages_that_the_image_does_not_need_are_not_built() -> None:
    text = (
        "FROM a AS unused\nCOPY one /a\nFROM a AS base\nCOPY two /a\nFROM a AS Tools\nCOPY three /a\n"
        "FROM base\nRUN --mount=from=tools,target=/t true\nCOPY --from=0 /x /y\nCOPY four /a\n"
    )
    assert taken(text) == (Taken("one", 2), Taken("two", 4), Taken("three", 6), Taken("four", 10))
    assert taken(text.replace("COPY --from=0 /x /y\n", "")) == (Taken("two", 4), Taken("three", 6), Taken("four", 9))


def test_behind_links_and_where_nobody_looked_only_the_build_can_tell() -> None:
    files = {**FILES, "Dockerfile": f"{DOCKERFILE}COPY link link/x vendor/x /a/\n"}
    plain = frozenset(files)
    assert told(found(files, tree=Tree(plain, {"link": "other"}, closed=frozenset({"vendor"})))) == []
    assert told(found(files, tree=Tree(plain, whole=False))) == []
    assert len(told(found(files))) == 3


def test_a_dockerfile_that_cannot_be_read_is_told_so_and_nothing_else_of_it() -> None:
    assert missing("COPY nothing /a\nCOPY x\n") == [("dockerfile-form", "error", "Dockerfile", 3)]


def test_a_stage_without_a_name_is_not_needed_by_what_takes_nothing() -> None:
    assert taken("FROM a\nCOPY one /a\nFROM b\nCOPY two /a\n") == (Taken("two", 4),)


def test_thousands_of_stages_on_each_other_are_looked_at_once_each() -> None:
    text = "FROM a AS s0\nCOPY x /a\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(20_000))
    assert taken(text) == (Taken("x", 2),)


def test_an_ignore_file_that_is_too_large_is_told_with_its_line() -> None:
    (finding,) = found(FILES | {".dockerignore": "a\n" * (MOST_PATTERNS + 1)})
    assert str(finding) == (
        f".dockerignore:{MOST_PATTERNS + 1}:1 The file has more than {MOST_PATTERNS} patterns. "
        "Name folders, or what they have in common, instead of each file."
    )


def test_a_dockerfile_that_is_too_large_is_told_with_its_line() -> None:
    told_of = told(found(FILES | {"Dockerfile": "FROM cabestan/python:3.11\n" * (MOST_STAGES + 1) + "USER 1001\n"}))
    assert told_of == [("too-large", "error", "Dockerfile", MOST_STAGES + 1)]


def test_so_many_sources_are_looked_for_and_further_ones_believed() -> None:
    assert len(missing("COPY nothing /a\n" * (MOST_SOURCES + 10))) == MOST_SOURCES
    assert len(missing("COPY no* /a\n" * (MOST_WILDCARDS + 10) + "COPY nothing /a\n")) == MOST_WILDCARDS + 1
    assert missing("COPY *.rb /a\n", {"x" * (MOST_CHARACTERS + 1): ""}) == []
