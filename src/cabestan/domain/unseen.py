"""Characters that are not seen and yet do something: pages and terminals show them, and do not obey them."""

import re
import unicodedata

#: joiners, which scripts and emoji are written with: fine between two characters of such
_JOINERS = "\u200c\u200d"
_JOINED = "\u0590-\u1fff\u2190-\u2bff\u2e80-\ufdfb\ufe00-\ufefc\U0001b000-\U0001faff\U00020000-\U0003ffff"
_ALWAYS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but for tabs and line ends
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"  # of no width; marks of direction
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff"  # halves of characters; tags
)
#: what a text without any of them has none of: quickly looked for
MAYBE_UNSEEN = re.compile(f"[{_ALWAYS}{_JOINERS}\r]")
#: one such character
UNSEEN = re.compile(
    f"[{_ALWAYS}]|\r(?!\n)|[{_JOINERS}](?![{_JOINED}])|(?<![{_JOINED}])[{_JOINERS}]",
)
#: what is read from right to left, and could draw what stands beside it along
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def code_point(character: str) -> str:
    """`U+202E`."""
    return f"U+{ord(character):04X}"


def name_of(character: str) -> str:
    """`right-to-left override`; control characters have no name of their own."""
    return unicodedata.name(character, "control character").lower()


def seen(text: str) -> str:
    """The text with the code point, in brackets, in the place of each such character; line ends and tabs stay."""
    return text if not MAYBE_UNSEEN.search(text) else UNSEEN.sub(lambda found: f"[{code_point(found[0])}]", text)
