"""Plain scalars and command lines mean what they mean to Docker."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.compose.engine_client import read_stack
from tests.compose.samples import loaded, web

from cabestan.compose.words import split_words

_SCALARS_WORDS = """
yes on Off y n tRue nULL 1.50 0o17 1e3 017 1_000 0x1f .5 12345678901234567890 -0 1e400 0b11 1:30
123456789012345678901234567890 +5 08 1e21 1e20 123456789.5 0.000001 0.0000001 1. 1.0 0777 1e6 1_0.5
1e+06 0x 0X1F 0O17 -017 1e 1e-7 0.1e1 -1.5 +1.5 1_ _1 0b12 089 9007199254740993 1E3 .5e3
9223372036854775808 1.23456789012345678 1e5 1e22 -.5 12e03 0x_1 -0x1f -0o7 -0b1 0_7 1__0 = <<
18446744073709551616 5.e3 3.40 0x1.8p1 infinity nan Inf 1e1_0 .5_0 ._5 +.5 0.0 -0.0 100000 1000000.0 + .
.. +. 1e99999 0xfffffffffffffffff -9223372036854775809 00 0_ 0b 0o8 +0x1 1.e 1.5.2
"""
SCALARS = [
    *_SCALARS_WORDS.split(),
    *("''", '"1e3"', "'yes'", "'017'", '"null"', "a b", "a#b", "http://a:1/b", "x[]"),
]
LINES = [
    "echo a  b",
    """echo "a b" 'c d'""",
    r'a\ b \n "c\"d" ' + r"'e\f' | g & h; i",
    r'"a\nb" "\\" x\\y',
    "a b # c",
    "a b#c #d",
    "'a'\"b\"c ''",
    "a\tb\nc # d\ne",
    "é 'ü'",
    "#only",
]


def test_scalars_become_the_text_that_docker_makes_of_them(tmp_path: Path) -> None:
    lines = "".join(f"      V{index}: {scalar}\n" for index, scalar in enumerate(SCALARS))
    path = tmp_path / "stack.yml"
    path.write_text(f"version: '3.8'\nservices:\n  web:\n    image: x\n    environment:\n{lines}")

    theirs = read_stack(path, {})["services"]["web"]["environment"]

    ours = loaded(path.read_text()).compose.services[0].environment
    by_scalar = {scalar: theirs[f"V{index}"] for index, scalar in enumerate(SCALARS)}
    assert {scalar: ours[f"V{index}"] for index, scalar in enumerate(SCALARS)} == by_scalar


def test_a_number_that_would_be_rewritten_is_told() -> None:
    findings = loaded(web("environment: {VERSION: 1.50, PLAIN: 15}")).warnings

    assert [(finding.code, finding.line, finding.path) for finding in findings] == [
        ("number-rewritten", 4, "services.web.environment.VERSION")
    ]


def test_dates_stay_as_written() -> None:
    environment = loaded(web("environment: {DAY: 2020-01-01}")).compose.services[0].environment

    assert environment == {"DAY": "2020-01-01"}


def test_command_lines_are_split_as_docker_does(tmp_path: Path) -> None:
    path = tmp_path / "stack.yml"
    services = "".join(f"  s{index}: {{image: x, command: {_quoted(line)}}}\n" for index, line in enumerate(LINES))
    path.write_text(f"version: '3.8'\nservices:\n{services}")

    theirs = read_stack(path, {})["services"]

    by_line = {line: theirs[f"s{index}"].get("command", []) for index, line in enumerate(LINES)}
    assert {line: list(split_words(line)) for line in LINES} == by_line


def _quoted(line: str) -> str:
    escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


@pytest.mark.parametrize("line", ["a 'b", 'a "b', "a \\", '"a\\'])
def test_an_unfinished_command_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"quote|backslash"):
        split_words(line)
