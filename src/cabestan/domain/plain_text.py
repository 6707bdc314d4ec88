"""Text of others, for a terminal: whoever writes a log could else have it change titles, keys or the clipboard."""

import re

from cabestan.domain.unseen import seen

#: C1 control characters, each of which is a shorter way to say ESC and a letter
C1 = re.compile("[\x80-\x9f]")
_C1_TO_LETTER = 0x40
#: what a terminal would obey: sequences (with parameters, or with text as that of a title), and single characters.
#: Text that nobody ends is taken to end with its line, so that it hides no more of the log
OBEYED = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]?"
    "|\x1b[\\]PX^_k][^\x07\x18\x1a\x1b\n]*(?:\x07|\x1b\\\\)?"
    "|\x1b[ -/]*[0-~]?"
    "|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
#: of these, what changes the order in which text is read: shown, for it is there to deceive
DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def written_out(found: re.Match[str]) -> str:
    """ESC and a letter, for what `C1` found."""
    return f"\x1b{chr(ord(found[0]) - _C1_TO_LETTER)}"


def plain_line(text: str, most: int) -> str:
    """One line as it is read in the end: without colours and all else that a terminal would obey, and of what was
    written over and over (a bar that grows) the last. At most so many characters.
    """
    last = text.rstrip("\r\n").rpartition("\r")[2]
    shown = seen(OBEYED.sub(_only_shown, C1.sub(written_out, last))).expandtabs(4).rstrip()
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _only_shown(found: re.Match[str]) -> str:
    return found[0] if DIRECTIONS.fullmatch(found[0]) else ""
