"""How single values look to a person: pure, for tables and lines alike."""

import re
from datetime import UTC, datetime

from cabestan.domain.unseen import seen

_LINES = re.compile(r"\s*\n\s*")

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

#: shape and colour of each status
SHAPES = {
    "created": ("○", "default"),
    "empty": ("·", "bright_black"),
    "waiting": ("◇", "yellow"),
    "queued": ("○", "cyan"),
    "running": ("◐", "blue"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "rolled_back": ("↩", "red"),
    "superseded": ("»", "bright_black"),
    "canceled": ("⊘", "bright_black"),
    "skipped": ("-", "bright_black"),
    "verified": ("✓", "green"),
    "unverified": ("?", "yellow"),
    "expired": ("-", "bright_black"),
    "serving": ("✓", "green"),
    "degraded": ("!", "yellow"),
    "down": ("✗", "red"),
    "stopped": ("⊘", "bright_black"),
    "unknown": ("?", "bright_black"),
}


def clean(text: str) -> str:
    """Text from the server, with what a terminal would obey, or not show, as a code point; line ends and tabs stay."""
    return seen(text)


def one_line(value: object) -> str:
    """A value for a cell: clean, without line ends, empty for null."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(one_line(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _LINES.sub(" ⏎ ", clean(str(value)).strip()).replace("\t", " ")


def status_words(status: str) -> str:
    """Shape and word: `✓ succeeded`."""
    shape, _ = SHAPES.get(status, ("?", "default"))
    return f"{shape} {one_line(status).replace('_', ' ')}"


def colour(status: str) -> str:
    return SHAPES.get(status, ("?", "default"))[1]


def short_commit(commit: str | None) -> str:
    return one_line(commit)[:8]


def age(moment: str | None, now: datetime) -> str:
    """`3 min ago`; a date where it is longer ago than a month. `moment` is ISO 8601."""
    if not moment:
        return ""
    then = _parsed(moment)
    if then is None:
        return one_line(moment)
    seconds = (now - then).total_seconds()
    return then.date().isoformat() if seconds > 30 * _DAY else _ago(seconds)


def exact(moment: str | None) -> str:
    """`2026-05-04 02:30 UTC`. `moment` is ISO 8601."""
    then = _parsed(moment or "")
    return then.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if then else one_line(moment or "")


def _ago(seconds: float) -> str:
    if seconds < 1:
        return "just now"
    return f"{duration(seconds)} ago"


def duration(seconds: float) -> str:
    """In the largest whole unit: `12 s`, `3 min`, `5 h`, `2 d`."""
    for unit, word in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {word}"
    return f"{int(seconds)} s"


def took(started: str | None, finished: str | None, now: datetime) -> str:
    """How long it ran, or has been running."""
    begin = _parsed(started or "")
    if begin is None:
        return ""
    end = _parsed(finished or "") or now
    return duration(max(0.0, (end - begin).total_seconds()))


def _parsed(moment: str) -> datetime | None:
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return then if then.tzinfo else None
