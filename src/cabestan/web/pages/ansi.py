"""Colours and cursor movements in a log's lines, for the lines that are in the server's HTML.

`static/ansi.js` does the same in the browser, with all colours; both pass the cases in `tests/web/pages/ansi.json`.
Here colours come down to the sixteen that have a class, for the pages' policy allows no styles in the HTML.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

#: an escape sequence (CSI, OSC, or two characters), or a control character that moves
_TOKEN = re.compile(
    r"\x1b\[(?P<args>[0-9;:?]*)(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[@-Z\\-_]?"
    r"|(?P<control>[\r\b])"
    r"|(?P<other>[\x00-\x08\x0b-\x1f\x7f])"
)
#: characters of a line that are shown; longer ones are cut
LINE_LIMIT = 10_000
#: sequences and control characters of a line that are obeyed; it ends before the next one
SEQUENCE_LIMIT = 2_000
#: characters, with those of sequences, of all lines on a page; further lines are not in it
PAGE_LIMIT = 200_000
#: numbers in one sequence that are looked at, and digits of each
_ARGUMENTS = 32
_DIGITS = 9


@dataclass(frozen=True)
class Style:
    """`fg` and `bg` are colour numbers 0 to 15, or None."""

    fg: int | None = None
    bg: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False

    @property
    def classes(self) -> str:
        """CSS classes; empty for plain text."""
        fg, bg = (self.bg, self.fg) if self.inverse else (self.fg, self.bg)
        found = [f"fg{fg}" if fg is not None else "", f"bg{bg}" if bg is not None else ""]
        if self.inverse:
            found += ["fg-inverse" if fg is None else "", "bg-inverse" if bg is None else ""]
        found += [name for name in ("bold", "dim", "italic", "underline") if getattr(self, name)]
        return " ".join(filter(None, found))

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


PLAIN = Style()


@dataclass(frozen=True)
class Piece:
    """Text in one style."""

    text: str
    classes: str


def render_lines(lines: Iterable[str]) -> Iterator[tuple[Piece, ...]]:
    """Each line as pieces; a style goes on until it is changed, over the ends of lines."""
    style, left = PLAIN, PAGE_LIMIT
    for line in lines:
        left -= len(line)
        if left < 0:
            yield (Piece("… not shown here, in the download", "note"),)
        else:
            pieces, style = render_line(line, style)
            yield pieces


def render_line(line: str, style: Style = PLAIN) -> tuple[tuple[Piece, ...], Style]:
    """The pieces of one line, and the style that the next one begins with."""
    if style == PLAIN and not _TOKEN.search(line):
        return _cut((Piece(line, ""),) if line else ()), style
    screen = _Screen(style)
    position = 0
    for count, token in enumerate(_TOKEN.finditer(line)):
        screen.write(line[position : token.start()])
        if count == SEQUENCE_LIMIT:
            rest = len(line) - token.start()
            note = Piece(f"… {rest} more characters after too many control sequences, in the download", "note")
            return (*_cut(screen.pieces()), note), screen.style
        screen.obey(token)
        position = token.end()
    screen.write(line[position:])
    return _cut(screen.pieces()), screen.style


class _Screen:
    """One line of a terminal. Nothing is done for what is erased: of each character is known when it was written,
    and in the end which of them an erasure came after. So the work grows with what is written alone.
    """

    def __init__(self, style: Style) -> None:
        self.style = style
        #: by column: character, style, time; among them some that were erased
        self.cells: dict[int, tuple[str, Style, int]] = {}
        self.length = self.column = self.time = 0
        #: times and columns of erasures up to a column, and from one on; those that a later one covers are left out
        self.before: list[tuple[int, int]] = []
        self.after: list[tuple[int, int]] = []

    def write(self, text: str) -> None:
        if not text:
            return
        self.time += 1
        style, time = self.style, self.time
        self.cells.update((at, (character, style, time)) for at, character in enumerate(text, self.column))
        self.column += len(text)
        self.length = max(self.length, self.column)

    def obey(self, token: re.Match[str]) -> None:
        if token["control"] == "\r":
            self.column = 0
        elif token["control"] == "\b":
            self.column = max(0, self.column - 1)
        elif token["final"] == "m":
            self.style = apply(self.style, token["args"])
        elif token["final"] == "K":
            self._erase(token["args"])
        elif token["final"] in ("G", "C", "D"):
            self._move(token["final"], token["args"])

    def pieces(self) -> tuple[Piece, ...]:
        joined: list[tuple[list[str], Style]] = []
        for text, style in self._runs():
            if not joined or (joined[-1][1] is not style and joined[-1][1].classes != style.classes):
                joined.append(([], style))
            joined[-1][0].append(text)
        return tuple(Piece("".join(text), style.classes) for text, style in joined)

    def _runs(self) -> Iterator[tuple[str, Style]]:
        """What is shown, with blanks where nothing is, or nothing any more."""
        at = 0
        whole = not (self.before or self.after)
        for column, (character, style, time) in sorted(self.cells.items()):
            if column < self.length and (whole or not self._erased(column, time)):
                if at < column:
                    yield " " * (column - at), PLAIN
                yield character, style
                at = column + 1
        if at < self.length:
            yield " " * (self.length - at), PLAIN

    def _erased(self, column: int, time: int) -> bool:
        """Of the erasures after a time the first one reaches farthest, for no later one covers it."""
        before, after = (bisect_left(them, (time, -1)) for them in (self.before, self.after))
        return (before < len(self.before) and column <= self.before[before][1]) or (
            after < len(self.after) and column >= self.after[after][1]
        )

    def _erase(self, args: str) -> None:
        self.time += 1
        if args in ("", "0"):
            self.length = min(self.length, self.column)
            while self.after and self.after[-1][1] >= self.column:
                self.after.pop()
            self.after.append((self.time, self.column))
        elif args == "2":
            self.cells, self.length = {}, self.column
        else:
            while self.before and self.before[-1][1] <= self.column:
                self.before.pop()
            self.before.append((self.time, self.column))

    def _move(self, final: str, args: str) -> None:
        count = min(_number(args), LINE_LIMIT) if args.isdigit() else 1
        target = {"G": count - 1, "C": self.column + count, "D": self.column - count}[final]
        self.column = min(max(0, target), LINE_LIMIT)


_FLAGS_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse"}
_FLAGS_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",)}


def apply(style: Style, args: str) -> Style:
    """The style after a sequence `ESC [ args m`."""
    parts = re.split("[;:]", args, maxsplit=_ARGUMENTS)[:_ARGUMENTS]
    codes = iter([_number(part) if part.isdigit() else 0 for part in parts])
    for code in codes:
        if code in (38, 48):
            style = style.evolve(**{"fg" if code == 38 else "bg": _extended(codes)})
        else:
            style = _simple(style, code)
    return style


def _number(digits: str) -> int:
    """Python reads no number of thousands of digits, and nobody means one."""
    return int(digits[:_DIGITS])


def _simple(style: Style, code: int) -> Style:
    if code == 0:
        return PLAIN
    if code in _FLAGS_ON:
        return style.evolve(**{_FLAGS_ON[code]: True})
    if code in _FLAGS_OFF:
        return style.evolve(**dict.fromkeys(_FLAGS_OFF[code], False))
    for first, name, base in ((30, "fg", 0), (40, "bg", 0), (90, "fg", 8), (100, "bg", 8)):
        if first <= code <= first + 7:
            return style.evolve(**{name: base + code - first})
    if code in (39, 49):
        return style.evolve(**{"fg" if code == 39 else "bg": None})
    return style


def _extended(codes: Iterator[int]) -> int | None:
    """`5;N` or `2;R;G;B`, as the nearest of the sixteen."""
    mode = next(codes, 0)
    if mode == 5:
        number = next(codes, 0)
        return number if number < 16 else _nearest(_palette(min(number, 255)))
    if mode == 2:
        return _nearest((next(codes, 0), next(codes, 0), next(codes, 0)))
    return None


def _palette(number: int) -> tuple[int, int, int]:
    """Red, green and blue of a colour of the 256, from 16 on."""
    if number >= 232:
        grey = 8 + (number - 232) * 10
        return grey, grey, grey
    levels = (0, 95, 135, 175, 215, 255)
    cube = number - 16
    return levels[cube // 36], levels[cube // 6 % 6], levels[cube % 6]


_SIXTEEN = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
    (255, 255, 255),
)  # fmt: skip


def _nearest(colour: tuple[int, int, int]) -> int:
    return min(range(16), key=lambda n: sum((a - b) ** 2 for a, b in zip(_SIXTEEN[n], colour, strict=True)))


def _cut(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    if sum(len(piece.text) for piece in pieces) <= LINE_LIMIT:
        return pieces
    kept: list[Piece] = []
    left = LINE_LIMIT
    for piece in pieces:
        if left > 0:
            kept.append(Piece(piece.text[:left], piece.classes))
        left -= len(piece.text)
    return (*kept, Piece(f"… {-left} more characters, in the download", "note"))
