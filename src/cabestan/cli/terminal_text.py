"""Text of others for a terminal, as it comes, with its colours."""

import codecs
import re

from cabestan.domain.plain_text import C1, DIRECTIONS, OBEYED, written_out
from cabestan.domain.unseen import seen

#: what a terminal would obey, at the end of what has come, where the rest may be yet to come
_OPEN = re.compile("\x1b(?:\\[[0-?]*[ -/]*|[\\]PX^_k][^\x07\x18\x1a\x1b\n]*\x1b?|[ -/]*)\\Z")
_WITH_TEXT = frozenset("]PX^_k")
_COLOUR = re.compile("\x1b\\[[0-9:;]{0,60}m")
#: characters of a sequence that are kept until its end comes; a colour has fewer
_LONGEST = 64
_RESET = "\x1b[0m"


class TerminalText:
    """Bytes in blocks that are cut anywhere, as text: printable, with line ends, tabs, backspaces and colours."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = ""
        self._coloured = False

    def feed(self, block: bytes) -> str:
        text = self._open + C1.sub(written_out, self._decoder.decode(block))
        found = _OPEN.search(text)
        self._open = _shortened(found[0]) if found else ""
        return OBEYED.sub(self._kept, text[: found.start()] if found else text)

    def end(self) -> str:
        """What takes back a colour that the text has left on: it could hide what is typed next."""
        return _RESET if self._coloured else ""

    def _kept(self, found: re.Match[str]) -> str:
        if DIRECTIONS.fullmatch(found[0]):
            return seen(found[0])
        if not _COLOUR.fullmatch(found[0]):
            return ""
        self._coloured = found[0] not in ("\x1b[m", _RESET)
        return found[0]


def _shortened(begun: str) -> str:
    """Of a sequence that has not ended, what its end is recognised by."""
    if begun[1:2] not in _WITH_TEXT:
        return begun[:_LONGEST]
    return begun[:2] + ("\x1b" if begun[2:].endswith("\x1b") else "")
