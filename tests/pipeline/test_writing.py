"""What is built is what was read: the file that the builder gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.pipeline.image_names import renamed
from cabestan.pipeline.refused import DockerfileRefused, refuse
from cabestan.pipeline.writing import written

NAMES = {"a": "ours/a@sha256:1", "${B}": "ours/b@sha256:2", "stage": "never"}


@pytest.mark.parametrize(
    ("instruction", "line"),
    [
        ("FROM a", "FROM ours/a@sha256:1"),
        (
            "FROM --platform=linux/amd64 \\\n  # why\n  ${B} \\\n AS x",
            "FROM --platform=linux/amd64 ours/b@sha256:2 AS x",
        ),
        ("copy --from=a --chown=1 /x   /y", "COPY --from=ours/a@sha256:1 --chown=1 /x   /y"),
        ("ONBUILD copy --from=a /x /y", "ONBUILD COPY --from=ours/a@sha256:1 /x /y"),
        (
            "RUN --mount=type=bind,from=a,target=/x make \\\n  --from=a",
            "RUN --mount=type=bind,from=ours/a@sha256:1,target=/x make   --from=a",
        ),
        ("FROM stage", "FROM stage"),
        ("FROM other", "FROM other"),
        ("RUN --mount=type=cache,target=/x a", "RUN --mount=type=cache,target=/x a"),
        ('COPY ["a b", "c"]', 'COPY ["a b", "c"]'),
        ("RUN <<EOF cat\nFROM a\nEOF", "RUN <<EOF cat\nFROM a\nEOF"),
        ("RUN <<-'END' cat >/x\n\tone\n\tEND", "RUN <<-'END' cat >/x\n\tone\n\tEND"),
        ("COPY <<a.txt <<b.txt /x/\n1\na.txt\n2\nb.txt", "COPY <<a.txt <<b.txt /x/\n1\na.txt\n2\nb.txt"),
        ("RUN cat <<< word", "RUN cat <<< word"),
        ("RUN true\r", "RUN true"),
    ],
)
def test_each_instruction_stands_on_one_line_with_its_images_in_place(instruction: str, line: str) -> None:
    text = f"# syntax=docker/dockerfile:1\n# a comment\nFROM base AS stage\n{instruction}\nCMD x\n"
    assert written(text, NAMES) == f"FROM base AS stage\n{line}\nCMD x\n"


def test_what_joins_lines_stays_the_sign_that_it_was() -> None:
    assert (
        written("# escape=`\nFROM a\nRUN x `\n y\nENV P=C:\\\\\n", {}) == "# escape=`\nFROM a\nRUN x  y\nENV P=C:\\\\\n"
    )


def test_further_authorities_are_trusted_while_building_and_stay_out_of_the_image() -> None:
    found = written("FROM a\nRUN pip install x\n", {}, authorities=True).splitlines()
    file = "/run/cabestan/authorities.crt"
    assert found[0] == "FROM a"
    assert f"ARG SSL_CERT_FILE={file}" in found
    assert found[-1] == f"RUN --mount=type=secret,id=cabestan-authorities,target={file},mode=0444 pip install x"


def meaning(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """How much space follows a flag means nothing."""
    return [(one.word, rest, one.documents) for one, rest in renamed(text, {})]


_PIECES = [
    "FROM a",
    "RUN x",
    "COPY --from=b c d",
    "CMD",
    "<<E",
    "E",
    "\\",
    "`",
    " ",
    "\n",
    '"',
    "'",
    "# escape=`",
    "<<",
    "-",
    "${x}",
    "$x ",
    "[",
    "\u00e0",
    "--chown=",
    "ONBUILD ",
    "RUN ",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=20).map("".join))
def test_what_passes_is_written_so_that_it_is_read_the_same_again(text: str) -> None:
    try:
        refuse("Dockerfile", text, "127.0.0.1:5600", "127.0.0.1:5600/a/b", lambda name: name)
    except DockerfileRefused:
        return
    again = written(text, {})
    assert meaning(again) == meaning(text)
    assert written(again, {}) == again
