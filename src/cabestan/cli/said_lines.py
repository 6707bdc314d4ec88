"""Lines of applications, as people read them."""

import sys
from collections.abc import Iterable

from cabestan.cli.api import Thing
from cabestan.cli.cells import one_line
from cabestan.cli.terminal_text import TerminalText
from cabestan.domain.unseen import seen

#: a service has one of them, always the same
_COLOURS = ("36", "32", "35", "34", "33", "96", "92", "95", "94", "93")
_FAINT, _RED, _RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"
#: of a time, down to its milliseconds
_TIME = 23


class Writer:
    """To stdout: time, who, what. At a terminal with colours, and without what it would obey."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._widest = 0

    def write(self, lines: Iterable[Thing]) -> None:
        told = list(lines)
        self._widest = max([self._widest, *(len(name_of(line)) for line in told)])
        sys.stdout.write("".join(self._line(line) for line in told))
        sys.stdout.flush()

    def _line(self, line: Thing) -> str:
        time, name = f"{one_line(line['time'])[:_TIME]}Z", one_line(name_of(line)).ljust(self._widest)
        text = str(line["line"])
        if not self._terminal:
            return f"{time} {name} {text}\n"
        mark = f"{_RED}!{_RESET}" if line["stream"] == "stderr" else " "
        colour = _COLOURS[sum(str(line["service"]).encode()) % len(_COLOURS)]
        return f"{_FAINT}{time}{_RESET} \x1b[{colour}m{name}{_RESET}{mark}{_safe(text)}\n"


def name_of(line: Thing) -> str:
    """`web.2`, `postgresql`, `web (platform)`."""
    name = f"{line['service']}.{line['replica']}" if line["replica"] else str(line["service"])
    return f"{name} ({line['kind']})" if line["kind"] in ("platform", "access") else name


def _safe(text: str) -> str:
    """Its colours, and nothing else that a terminal obeys."""
    cleaner = TerminalText()
    return cleaner.feed(text.encode(errors="replace")) + cleaner.end() if "\x1b" in text else seen(text)
