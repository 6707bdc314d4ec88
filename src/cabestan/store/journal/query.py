"""Which lines are wanted of a journal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cabestan.domain.journal import Origin, Source
from cabestan.errors import Invalid

LONGEST_PATTERN = 1000
#: has ^ and $ mean those of each line
_LINES = "(?m)"
#: what is shown when nobody asks for more
USUAL = frozenset(Origin) - {Origin.ACCESS}


@dataclass(frozen=True)
class Query:
    """All that is given must hold. Times in nanoseconds, `until` excluded. `fields` are of lines in JSON: `user.id=4`.

    Raises Invalid where the pattern is none.
    """

    services: frozenset[str] = frozenset()
    replica: int | None = None
    origins: frozenset[Origin] = USUAL
    since: int = 0
    until: int | None = None
    pattern: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    errors_only: bool = False

    def __post_init__(self) -> None:
        if len(self.pattern) > LONGEST_PATTERN or "\n" in self.pattern:
            raise Invalid("The regular expression is too long, or of several lines.", "Search for a part of one line.")
        _ = self.search

    def wants_source(self, source: Source) -> bool:
        """The platform's own words on a service belong to it. Requests, where they are wanted, are of all services."""
        if source.origin is Origin.ACCESS:
            return Origin.ACCESS in self.origins
        return (
            (not self.services or source.service in self.services)
            and (self.replica is None or source.replica == self.replica)
            and source.origin in self.origins
        )

    def wants_time(self, time: int) -> bool:
        return self.since <= time and (self.until is None or time < self.until)

    @cached_property
    def search(self) -> Any | None:
        """RE2, whose time is bounded whatever the pattern."""
        if not self.pattern:
            return None
        import re2  # late, for few search

        options = re2.Options()
        options.never_nl, options.log_errors = True, False
        try:
            return re2.compile(f"{_LINES}{self.pattern}".encode(errors="replace"), options)
        except re2.error as error:
            told = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error.args[0]
            raise Invalid(
                f"The regular expression {self.pattern!r} is none: {told.replace(_LINES, '')}.",
                "It is one of RE2; what is meant as it stands needs a backslash before ( ) [ ] { } . * + ? ^ $ |.",
            ) from error

    @cached_property
    def words(self) -> tuple[bytes, ...]:
        """Parts of words that each line with a match must have, in small letters."""
        asked = {part.lower() for part in map(str, self.fields.values()) if part.isascii()}
        found = {word for part in asked for word in _LETTERS.findall(part)}
        return tuple(sorted({word.encode() for word in found | set(required_words(self.pattern))}))

    def may_be_in(self, known: bytes) -> bool:
        """Whether a record with these words can have a match."""
        return all(word in known for word in self.words)

    def wants_fields(self, text: bytes) -> bool:
        if not self.fields:
            return True
        found = fields_of(text)
        return found is not None and all(_shown(found, name) == value for name, value in self.fields.items())


def fields_of(text: bytes) -> Mapping[str, Any] | None:
    """Of a line that is an object in JSON; None for all others."""
    stripped = text.strip()
    if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shown(found: Mapping[str, Any], name: str) -> str | None:
    """The value as it stands there; `a.b` is looked for as it is written, then as b in a."""
    value: Any = found
    for part in [name] if name in found else name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value if isinstance(value, str) else json.dumps(value)


_LETTERS = re.compile(r"[a-z]{3,}")
#: a pattern of these alone is understood well enough to say what must be there
_PLAIN = re.compile(
    r"(?P<literal>[A-Za-z0-9 _:;,/=\"'<>@#%&~!-]+)"
    r"|(?P<escaped>\\[^A-Za-z0-9])"
    r"|(?P<class>\\[dDwWsSb]|\.|\[\^?\]?(?:[^\]\[\\]|\\.)*\]|\^|\$)"
    r"|(?P<repeat>[*?]|\{\d+(?:,\d*)?\})"
    r"|(?P<more>\+)"
)


def required_words(pattern: str) -> Iterator[str]:
    """Runs of letters that any match must have, in small letters; none where the pattern is not that simple."""
    text, at = "", 0
    folded = pattern.removeprefix("(?i)")
    while at < len(folded):
        found = _PLAIN.match(folded, at)
        if not found:
            return
        at = found.end()
        match found.lastgroup:
            case "literal":
                text += found[0].lower()
            case "repeat":  # the last character need not be there
                text = text[:-1] + "\n"
            case "more":  # it may be there more than once
                text += "\n"
            case _:
                text += "\n"
    if not folded.isascii():
        return
    yield from _LETTERS.findall(text)
