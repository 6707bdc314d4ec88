"""Text of others for a terminal: whoever writes a log could else have it change titles, keys or the clipboard."""

import codecs
import re

from cabestan.domain.unseen import seen

#: C1 control characters, each of which is a shorter way to say ESC and a letter
_C1 = re.compile("[\x80-\x9f]")
_C1_TO_LETTER = 0x40
#: what a terminal would obey: sequences (with parameters, or with text as that of a title), and single characters.
#: Text that nobody ends is taken to end with its line, so that it hides no more of the log
_OBEYED = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]?"
    "|\x1b[\\]PX^_k][^\x07\x18\x1a\x1b\n]*(?:\x07|\x1b\\\\)?"
    "|\x1b[ -/]*[0-~]?"
    "|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
#: of these, what changes the order in which text is read: shown, for it is there to deceive
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: the same at the end of what has come, where the rest may be yet to come
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
        text = self._open + _C1.sub(_written_out, self._decoder.decode(block))
        found = _OPEN.search(text)
        self._open = _shortened(found[0]) if found else ""
        return _OBEYED.sub(self._kept, text[: found.start()] if found else text)

    def end(self) -> str:
        """What takes back a colour that the text has left on: it could hide what is typed next."""
        return _RESET if self._coloured else ""

    def _kept(self, found: re.Match[str]) -> str:
        if _DIRECTIONS.fullmatch(found[0]):
            return seen(found[0])
        if not _COLOUR.fullmatch(found[0]):
            return ""
        self._coloured = found[0] not in ("\x1b[m", _RESET)
        return found[0]


def _written_out(found: re.Match[str]) -> str:
    return f"\x1b{chr(ord(found[0]) - _C1_TO_LETTER)}"


def _shortened(begun: str) -> str:
    """Of a sequence that has not ended, what its end is recognised by."""
    if begun[1:2] not in _WITH_TEXT:
        return begun[:_LONGEST]
    return begun[:2] + ("\x1b" if begun[2:].endswith("\x1b") else "")
