"""Colours and carriage returns, in the server's HTML and in the browser's module."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cabestan.web.pages.ansi import Piece, render_line, render_lines

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "ansi.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_lines_are_rendered_as_a_terminal_shows_them(case: dict[str, Any]) -> None:
    rendered = [[[piece.text, piece.classes] for piece in pieces] for pieces in render_lines(case["lines"])]
    assert rendered == case["pieces"]


def test_further_colours_become_the_nearest_of_the_sixteen() -> None:
    pieces, _ = render_line("\x1b[38;2;250;10;10mred\x1b[48;5;21mon blue\x1b[38;5;250mgrey")
    assert pieces == (Piece("red", "fg9"), Piece("on blue", "fg9 bg4"), Piece("grey", "fg7 bg4"))


def test_an_endless_line_is_cut() -> None:
    pieces, _ = render_line("x" * 10_005)
    assert pieces == (Piece("x" * 10_000, ""), Piece("… 5 more characters, in the download", "note"))


@pytest.mark.skipif(not shutil.which("node"), reason="node runs the browser's modules without a browser")
def test_the_browsers_modules_pass_their_own_tests() -> None:
    ran = subprocess.run(["node", "--test", *map(str, HERE.glob("*.test.mjs"))], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
