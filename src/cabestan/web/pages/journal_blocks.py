"""Lines of applications as a page shows them: JSON folded, traces in one piece, colours, where a release begins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from cabestan.domain.journal import Line, Origin, Source
from cabestan.store.journal import fields_of
from cabestan.web.journal_lines import exact
from cabestan.web.pages.ansi import PAGE_LIMIT, PLAIN, Piece, Style, render_line

#: lines of a trace that are shown before the rest is folded
UNFOLDED = 5
#: fields of one line, and characters of one value, that are shown
_FIELDS = 60
_VALUE = 2000
_SUMMARY = 300
_DEPTH = 4
_LEVELS = ("level", "severity", "lvl", "levelname", "log.level")
_MESSAGES = ("message", "msg", "event")
#: the line has a time of its own
_TIMES = ("time", "timestamp", "ts", "@timestamp")
_BAD = ("error", "err", "fatal", "critical", "panic", "alert", "emergency")
_COLOURS = ("fg2", "fg3", "fg4", "fg5", "fg6", "fg10", "fg11", "fg13")
_NOT_SHOWN = (Piece("… not shown here, in the download", "note"),)


@dataclass(frozen=True)
class Field:
    """`wanted` is what a link asks for; empty where the value is too long for that."""

    name: str
    value: str
    wanted: str = ""


@dataclass(frozen=True)
class Folded:
    """A line in JSON: its level, what it says, the rest in short, and all of its fields."""

    level: str
    tone: str
    message: str
    rest: str
    fields: tuple[Field, ...]


@dataclass
class Block:
    """One line, or a whole trace. `starts` is the release whose first line of this container it is."""

    line: Line
    colour: str
    starts: int = 0
    rows: list[tuple[Piece, ...]] = field(default_factory=list)
    folded: Folded | None = None

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def source(self) -> str:
        return self.line.source.name

    @property
    def release(self) -> int:
        return self.line.source.release

    @property
    def exact(self) -> str:
        return exact(self.line.time)

    @property
    def clock(self) -> str:
        """`23:13:12.123`."""
        return self.exact[11:23]

    @property
    def day(self) -> str:
        return self.exact[:10]

    @property
    def note(self) -> bool:
        return self.line.source.origin is Origin.PLATFORM

    @property
    def access(self) -> bool:
        return self.line.source.origin is Origin.ACCESS

    @property
    def shown(self) -> Sequence[tuple[Piece, ...]]:
        return self.rows[:UNFOLDED] if self.more else self.rows

    @property
    def more(self) -> Sequence[tuple[Piece, ...]]:
        """Folded, where that are more than one or two."""
        return self.rows[UNFOLDED:] if len(self.rows) > UNFOLDED + 2 else ()


def blocks(lines: Iterable[Line]) -> list[Block]:
    """A continued line joins the last block of its container, also where others spoke in between."""
    found: list[Block] = []
    last: dict[Source, Block] = {}
    styles: dict[Source, Style] = {}
    #: the one that a replica's last block was of
    releases: dict[str, int] = {}
    left = PAGE_LIMIT
    for line in lines:
        key, text = line.source, line.text.decode("utf-8", "replace")
        left -= len(text)
        pieces, style = render_line(text, styles.get(key, PLAIN)) if left >= 0 else (_NOT_SHOWN, PLAIN)
        if line.continued and key in last:
            last[key].rows.append(pieces)
        else:
            before = releases.get(key.name, key.release)
            last[key] = _begun(line, pieces, key.release if key.release != before else 0, folds=left >= 0)
            releases[key.name] = key.release
            found.append(last[key])
            style = PLAIN if not line.continued and style == PLAIN else style
        styles[key] = style
    return found


def _begun(line: Line, pieces: tuple[Piece, ...], starts: int, *, folds: bool) -> Block:
    fields = fields_of(line.text) if folds and line.text[:1] == b"{" else None
    return Block(line, colour_of(line.source.name), starts, [pieces], folded(fields) if fields else None)


def colour_of(name: str) -> str:
    """The same one on each page."""
    return _COLOURS[crc32(name.encode()) % len(_COLOURS)]


def folded(fields: Mapping[str, Any]) -> Folded:
    level_name = next((name for name in _LEVELS if _is_plain(fields.get(name))), "")
    message_name = next((name for name in _MESSAGES if _is_plain(fields.get(name))), "")
    level = _text(fields[level_name]) if level_name else ""
    told = {level_name, message_name, *_TIMES}
    flat = list(_flat(fields))
    rest = " ".join(f"{name}={_text(value)}" for name, value in flat[:_FIELDS] if name not in told)
    message = _text(fields[message_name]) if message_name else ""
    shown = tuple(_field(name, value) for name, value in flat[:_FIELDS])
    return Folded(_cut(level, 20), _tone(level), _cut(message, _SUMMARY), _cut(rest, _SUMMARY), shown)


def _flat(fields: Mapping[str, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """`user.id` of an object in an object, by which it can be looked for; a name with a dot is no such path."""
    for name, value in fields.items():
        if isinstance(value, dict) and value and depth < _DEPTH and "." not in name:
            yield from _flat(value, f"{above}{name}.", depth + 1)
        else:
            yield above + name, value


def _field(name: str, value: Any) -> Field:
    text = _text(value)
    asked = f"{name}={text}"
    wanted = asked if len(asked) <= _SUMMARY and "=" not in name and "\n" not in text else ""
    return Field(name, _cut(text, _VALUE), wanted)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and value != ""


def _tone(level: str) -> str:
    word = level.lower()
    return "bad" if word in _BAD else "wait" if word in ("warn", "warning") else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
