"""Texts of others in a page: what is not seen is shown, and what is read from right to left keeps to its place.

Jinja hands each value to `placed` as it is written, and the whole page to `marked` when it is: no template can forget.
"""

import re
from functools import lru_cache

from markupsafe import Markup

from cabestan.domain.unseen import MAYBE_UNSEEN, RIGHT_TO_LEFT, UNSEEN, code_point, name_of, seen

#: begin and end of a value that is read from right to left, until it is known where it stands; no text has these
_BEGIN, _END = "\ufdd0", "\ufdd1"
_NOT_OURS = str.maketrans({_BEGIN: "\ufffd", _END: "\ufffd"})
_OURS = re.compile(f"[{_BEGIN}{_END}]")
#: no value has either bracket: Jinja escapes them
_TAGS = re.compile(r"(<[^<>]*>)")
#: the same character, once or more often; begin or end of what is read from right to left
_IN_TEXT = re.compile(f"(?P<same>{UNSEEN.pattern})(?P=same)*|[{_BEGIN}{_END}]")
#: attributes that are read by people; the others are for programs, and come back as they are
_READ = re.compile(r"""(?<=\s)(?:title|alt|placeholder|label|aria-label|data-label|data-confirm)="[^"]*\"""")
#: so many marks help to read a page; more of them would make a large one of it
_MOST_MARKS = 1000


def placed(value: object) -> object:
    """For Jinja's `finalize`: marks where a text begins and ends that could reorder what stands beside it."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isascii():
        return value
    text = value.translate(_NOT_OURS)
    return f"{_BEGIN}{text}{_END}" if RIGHT_TO_LEFT.search(text) else text


def marked(html: str) -> str:
    """The page with a visible mark for each character that is not seen."""
    if not MAYBE_UNSEEN.search(html) and not _OURS.search(html):
        return html
    marks, within, parts = _Marks(), "", []
    for part in _TAGS.split(html):
        if part.startswith("<"):
            within = part
            parts.append(_tag(part))
        elif within.startswith("<textarea"):
            parts.append(_bare(part))
        elif within.startswith(("<title", "<option")):
            parts.append(_words(part))
        else:
            parts.append(_IN_TEXT.sub(marks, part))
    return "".join(parts)


class _Marks:
    """Those of one page."""

    def __init__(self) -> None:
        self._left = _MOST_MARKS

    def __call__(self, found: re.Match[str]) -> str:
        text = found[0]
        if text[0] in (_BEGIN, _END):
            return "<bdi>" if text[0] == _BEGIN else "</bdi>"
        self._left -= 1
        if self._left < 0:
            return "\ufffd"
        return _mark(text[0], len(text))


@lru_cache(maxsize=1024)
def _mark(character: str, count: int) -> str:
    times = f" ×{count}" if count > 1 else ""
    return f'<span class="unseen" title="{name_of(character)}">{code_point(character)}{times}</span>'


def _tag(text: str) -> str:
    return _bare(_READ.sub(lambda attribute: _words(attribute[0]), text))


def _words(text: str) -> str:
    """Where no element may stand, the characters that isolate do it."""
    return seen(text).replace(_BEGIN, "\u2068").replace(_END, "\u2069")


def _bare(text: str) -> str:
    return text.replace(_BEGIN, "").replace(_END, "")
