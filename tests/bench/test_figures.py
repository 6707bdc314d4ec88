"""The figures, their JSON and their table."""

import pytest
from bench.figures import Figure, percentile, side_by_side
from bench.table import cells, verdict


def test_a_ratio_is_bounded_where_there_is_something_to_compare_with() -> None:
    slow = Figure("trigger", 0.6, "s", against=0.4, limit=1.3)
    assert slow.to_json() == {
        "name": "trigger",
        "value": 0.6,
        "unit": "s",
        "against": 0.4,
        "ratio": 1.5,
        "limit": 1.3,
        "holds": False,
    }


def test_a_value_alone_is_bounded_itself() -> None:
    idle = Figure("memory", 129.30004, "MB", limit=150)
    assert idle.to_json() == {
        "name": "memory",
        "value": 129.3,
        "unit": "MB",
        "against": None,
        "ratio": None,
        "limit": 150,
        "holds": True,
    }


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("at the limit", 0, "", limit=0), True),
        (Figure("over it", 1, "", limit=0), False),
        (Figure("without one", 9, "s", against=1), True),
        (Figure("not measured", None, "", limit=0), False),
        (Figure("not measured, without a limit", None, ""), True),
    ],
)
def test_whether_a_limit_holds(figure: Figure, holds: bool) -> None:
    assert figure.holds is holds


def test_rounds_are_told_by_their_medians() -> None:
    assert side_by_side("deploying", [3.0, 1.0, 2.0], [4.0, 4.0, 5.0], limit=1.15, note="calm") == Figure(
        "deploying",
        2.0,
        "s",
        against=4.0,
        limit=1.15,
        note="median of 3 rounds each; ours 1.00–3.00, bare 4.00–5.00; calm",
    )


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1, 100)])
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_line_of_the_table() -> None:
    assert cells(Figure("trigger", 0.4567, "s", 0.3784, 1.3)) == (
        "trigger",
        "0.457 s",
        "0.378 s",
        "1.21 ×",
        "1.3 ×",
        "holds",
    )
    assert cells(Figure("failed", 3, "", limit=0)) == ("failed", "3", "–", "–", "0", "DOES NOT HOLD")
    assert cells(Figure("updating", 8.27, "s", 5.77)) == ("updating", "8.27 s", "5.77 s", "1.43 ×", "–", "")


def test_what_does_not_hold_is_said_loudly() -> None:
    good, bad = Figure("a", 1, "s", limit=2), Figure("b", 3, "s", limit=2)
    assert verdict([good]).plain == "All limits hold."
    assert verdict([good, bad]).plain == "LIMITS THAT DO NOT HOLD (1): b"
