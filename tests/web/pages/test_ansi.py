"""Colours and carriage returns, in the server's HTML and in the browser's module."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.web.pages.ansi import PAGE_LIMIT, Piece, _Screen, render_line, render_lines

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


#: what `model` and the renderer are given: text, and what moves and erases
WORDS = ["a", "bc", "\r", "\b", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[3G", "\x1b[7G", "\x1b[2C", "\x1b[3D"]


def model(words: list[str]) -> str:
    """What a line shows, done step by step on all of it."""
    cells: list[str] = []
    column = 0
    for word in words:
        if word.isalpha():
            cells += [" "] * (column - len(cells))
            cells[column : column + len(word)] = word
            column += len(word)
        elif word == "\x1b[K":
            del cells[column:]
        elif word == "\x1b[2K":
            cells = [" "] * column
        elif word == "\x1b[1K":
            cells[: column + 1] = [" "] * min(column + 1, len(cells))
        else:
            moved = {
                "\r": 0,
                "\b": column - 1,
                "\x1b[3G": 2,
                "\x1b[7G": 6,
                "\x1b[2C": column + 2,
                "\x1b[3D": column - 3,
            }
            column = max(0, moved[word])
    return "".join(cells)


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_a_line_shows_what_a_terminal_would_have_left_on_it(words: list[str]) -> None:
    pieces, _ = render_line("".join(words))
    assert "".join(piece.text for piece in pieces) == model(words)


def test_too_many_sequences_end_the_line_and_it_is_said() -> None:
    pieces, style = render_line("\x1b[31m" + "x\b" * 2_000 + "yz")
    told = "… 3 more characters after too many control sequences, in the download"
    assert pieces == (Piece("x", "fg1"), Piece(told, "note"))
    assert style.fg == 1


@pytest.mark.parametrize(
    "line",
    [
        "a" * 32_000 + "\x1b[1K" * 8_000,
        "\x1b[9999Gx\x1b[1G\x1b[K" * 3_000,
        "x" * 9_000 + "\x1b[2K" * 1_999,
        "\x1b[" + "1;" * 30_000 + "m" + "x",
        "\x1b[" + "9" * 60_000 + "Gx",
        "\x1b[" + "9" * 60_000,
        "\x1b]" * 30_000,
        "\x1b[31mx" * 10_000,
    ],
    ids=["erased", "far", "whole", "arguments", "digits", "open", "titles", "colours"],
)
def test_a_page_of_the_worst_lines_does_little_work(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted rather than timed: what is written and looked at again, in all 200 lines."""
    work = 0
    write, erased, obey = _Screen.write, _Screen._erased, _Screen.obey

    def counted(method: Any, cost: Any) -> Any:
        def count(screen: _Screen, *arguments: Any) -> Any:
            nonlocal work
            work += cost(*arguments)
            return method(screen, *arguments)

        return count

    monkeypatch.setattr(_Screen, "write", counted(write, len))
    monkeypatch.setattr(_Screen, "_erased", counted(erased, lambda *_: 1))
    monkeypatch.setattr(_Screen, "obey", counted(obey, lambda *_: 1))
    shown = list(render_lines([line] * 200))
    assert work <= 2 * PAGE_LIMIT
    assert len(shown) == 200
    assert shown[-1] == (Piece("… not shown here, in the download", "note"),)
    assert sum(len(piece.text) for pieces in shown for piece in pieces) < 2 * PAGE_LIMIT


@pytest.mark.skipif(not shutil.which("node"), reason="node runs the browser's modules without a browser")
def test_the_browsers_modules_pass_their_own_tests() -> None:
    ran = subprocess.run(["node", "--test", *map(str, HERE.glob("*.test.mjs"))], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
