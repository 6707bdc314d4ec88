from __future__ import annotations

import pytest

from cabestan.checks.dockerfile_form import check_form
from cabestan.pipeline.instructions import FLAGS
from cabestan.pipeline.refused import refuse


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\n",
        "# syntax=docker/dockerfile:1\nARG B=1\n\nFROM a:$B AS base\n  # comment\nCOPY --from=x a b /c/\nCMD\n",
        "FROM --platform=linux/amd64 a\r\nRUN one \\\r\n  # comment\r\n  two\r\nENTRYPOINT []\r\n",
        "FROM a\nRUN <<EOF\nnot an instruction\nEOF\nCOPY <<A <<B /x/\na\nA\nb\nB\nADD [\"a b\", \"/c\"]\n",
        "\ufeffFROM a\nONBUILD RUN b\nMAINTAINER c",
    ],
)  # fmt: skip
def test_what_buildkit_reads_is_well(text: str) -> None:
    assert check_form("Dockerfile", text) == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "The file has no FROM, so there is nothing to build on."),
        ("# only\nARG A\n", 1, "The file has no FROM, so there is nothing to build on."),
        ("RUN a\nFROM b\n", 1, "RUN stands before the first FROM."),
        ("FROM a\nRUNN b\n", 2, "RUNN is no instruction of a Dockerfile."),
        ("FROM a\n<<<<<<< HEAD\nRUN b\n", 2, "'<<<<<<< HEAD' is no instruction."),
        ("FROM a\nRUN b\n\n=======\n", 4, "'=======' is no instruction."),
        ("FROM a b\n", 1, "FROM a b is not understood."),
        ("FROM a\nCOPY b\n", 2, "COPY b does not say where to."),
        ("FROM a\nUSER\n", 2, "USER says nothing."),
    ],
)
def test_what_buildkit_would_refuse_is_told_with_its_line(text: str, line: int, words: str) -> None:
    findings = check_form("web/Dockerfile", text)
    assert [(f.code, f.severity, f.file, f.line, f.message) for f in findings] == [
        ("dockerfile-form", "error", "web/Dockerfile", line, words)
    ]


@pytest.mark.parametrize("word", sorted(FLAGS.keys() - {"FROM"}))
def test_every_instruction_is_one_to_all_who_read_dockerfiles(word: str) -> None:
    text = f"FROM a\n{word} {'RUN ' if word == 'ONBUILD' else ''}a b\n"
    assert check_form("Dockerfile", text) == ()
    refuse("Dockerfile", text, "127.0.0.1:5600", "127.0.0.1:5600/shop/api", str)
