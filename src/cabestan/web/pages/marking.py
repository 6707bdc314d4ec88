"""Texts of others in a page: what is not seen is shown, and what is read from right to left keeps to its place.

Jinja hands each value to `placed` as it is written, and the whole page to `marked` when it is: no template can forget.
"""

import re

from markupsafe import Markup

from cabestan.domain.unseen import MAYBE_UNSEEN, RIGHT_TO_LEFT, UNSEEN, code_point, name_of, seen

#: begin and end of a value that is read from right to left, until it is known where it stands; no text has these
_BEGIN, _END = "\ufdd0", "\ufdd1"
_NOT_OURS = str.maketrans({_BEGIN: "\ufffd", _END: "\ufffd"})
_OURS = re.compile(f"[{_BEGIN}{_END}]")
#: a tag (a value in it may have `>`), an element in which no other may stand, or what is to be shown
_PART = re.compile(
    r"(?P<plain><(?P<name>title|option)\b[^>]*>[^<]*</(?P=name)>)"
    r"|(?P<typed><textarea\b[^>]*>[^<]*</textarea>)"
    r"|(?P<tag></?[A-Za-z](?:[^\"'>]|\"[^\"]*\"|'[^']*')*>)"
    f"|(?P<unseen>{UNSEEN.pattern})"
    f"|(?P<begin>{_BEGIN})|(?P<end>{_END})"
)
#: attributes that are read by people; the others are for programs, and come back as they are
_READ = re.compile(r"""(?<=\s)(?:title|alt|placeholder|label|aria-label|data-label|data-confirm)="[^"]*\"""")


def placed(value: object) -> object:
    """For Jinja's `finalize`: marks where a text begins and ends that could reorder what stands beside it."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isascii():
        return value
    text = value.translate(_NOT_OURS)
    return f"{_BEGIN}{text}{_END}" if RIGHT_TO_LEFT.search(text) else text


def marked(html: str) -> str:
    """The page with a visible mark for each character that is not seen."""
    return _PART.sub(_shown, html) if MAYBE_UNSEEN.search(html) or _OURS.search(html) else html


def _shown(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "begin":
            return "<bdi>"
        case "end":
            return "</bdi>"
        case "unseen":
            return f'<span class="unseen" title="{name_of(found[0])}">{code_point(found[0])}</span>'
        case "typed":
            return _bare(found[0])
        case "tag":
            return _tag(found[0])
    tag, end, text = found[0].partition(">")
    return _tag(tag) + end + _words(text)


def _tag(text: str) -> str:
    return _bare(_READ.sub(lambda attribute: _words(attribute[0]), text))


def _words(text: str) -> str:
    """Where no element may stand, the characters that isolate do it."""
    return seen(text).replace(_BEGIN, "\u2068").replace(_END, "\u2069")


def _bare(text: str) -> str:
    return text.replace(_BEGIN, "").replace(_END, "")
