"""How single values look."""

from datetime import UTC, datetime

import pytest

from cabestan.cli.cells import age, clean, exact, one_line, status_words, took

NOW = datetime(2025, 3, 10, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (None, ""),
        ("2025-03-10T12:00:05Z", "just now"),
        ("2025-03-10T11:59:25Z", "35 s ago"),
        ("2025-03-10T11:56:30+00:00", "3 min ago"),
        ("2025-03-10T09:00:00+01:00", "4 h ago"),
        ("2025-03-08T11:00:00Z", "2 d ago"),
        ("2024-12-24T11:00:00Z", "2024-12-24"),
        ("soon", "soon"),
    ],
)
def test_times_are_told_by_their_distance(moment: str | None, words: str) -> None:
    assert age(moment, NOW) == words


@pytest.mark.parametrize(
    ("started", "finished", "words"),
    [
        (None, None, ""),
        ("2025-03-10T11:58:00Z", None, "2 min"),
        ("2025-03-10T11:58:00Z", "2025-03-10T11:58:12Z", "12 s"),
    ],
)
def test_how_long_a_run_took(started: str | None, finished: str | None, words: str) -> None:
    assert took(started, finished, NOW) == words


def test_what_a_terminal_would_obey_is_shown_as_what_it_is() -> None:
    assert clean("a\x1b[31mb\x9b2J\x07\r\u202ec\n\td") == "a[U+001B][31mb[U+009B]2J[U+0007][U+000D][U+202E]c\n\td"


def test_a_cell_is_one_line() -> None:
    assert [one_line(value) for value in (None, 3, True, ["a", "b"], " x\n  y\tz ")] == [
        "",
        "3",
        "yes",
        "a, b",
        "x ⏎ y z",
    ]


def test_a_status_has_shape_and_word() -> None:
    assert [status_words(status) for status in ("succeeded", "rolled_back", "new\x1b")] == [
        "✓ succeeded",
        "↩ rolled back",
        "? new[U+001B]",
    ]


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (None, ""),
        ("2025-03-11T02:30:00.000Z", "2025-03-11 02:30 UTC"),
        ("2025-03-11T04:30:00+02:00", "2025-03-11 02:30 UTC"),
        ("never", "never"),
    ],
)
def test_times_to_come_are_told_to_the_minute(moment: str | None, words: str) -> None:
    assert exact(moment) == words
