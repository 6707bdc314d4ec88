"""Moments, as people write them: so long ago, or a date and a time."""

import re
from datetime import UTC, datetime, timedelta

from cabestan.errors import Invalid

_AGO = re.compile(r"(\d{1,6})(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FRACTION = re.compile(r"\.(\d{1,9})", re.ASCII)


def moment(text: str, now: datetime) -> int:
    """Nanoseconds since 1970: of `90s`, `10m`, `2h`, `1h30m`, `3d` ago, or of an ISO time, in UTC where it has no zone.

    Raises Invalid.
    """
    text = text.strip()
    try:
        return _ago(text, now) if text and _AGO.sub("", text) == "" else _written(text)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"{text!r} is no time.", "Write how long ago, such as 10m, 2h or 3d, or a time: 2026-11-30T14:05."
        ) from error


def _ago(text: str, now: datetime) -> int:
    passed = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _AGO.findall(text)), timedelta())
    return nanoseconds(now - passed)


def _written(text: str) -> int:
    """Python's own reading knows no more than microseconds."""
    fraction = _FRACTION.search(text)
    found = datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    whole = nanoseconds(found if found.tzinfo else found.replace(tzinfo=UTC))
    return whole + (int(fraction[1].ljust(9, "0")) if fraction else 0)


def nanoseconds(time: datetime) -> int:
    """Exact to the microsecond, which floating point is not."""
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000
