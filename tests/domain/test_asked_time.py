"""Times as people give them."""

from datetime import UTC, datetime

import pytest

from cabestan.domain.asked_time import moment
from cabestan.errors import Invalid

_NOW = datetime(2026, 11, 30, 12, 0, 0, 250000, tzinfo=UTC)
_NOON = 1_796_040_000 * 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", _NOON + 250_000_000),
        ("90s", _NOON - 90 * 10**9 + 250_000_000),
        ("1h30m", _NOON - 5400 * 10**9 + 250_000_000),
        ("2026-11-30T12:00", _NOON),
        ("2026-11-30 13:00:00+01:00", _NOON),
        ("2026-11-30T12:00:00.123456789Z", _NOON + 123_456_789),
        ("2026-11-30", _NOON - 12 * 3600 * 10**9),
    ],
)
def test_a_time_is_understood(text: str, expected: int) -> None:
    assert moment(text, _NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "10", "5y", "2026-13-01", "m10", "999999w"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(Invalid, match="is no time"):
        moment(text, _NOW)
