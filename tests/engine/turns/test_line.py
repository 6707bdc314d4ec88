"""Who gets the next place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cabestan.config import Settings
from cabestan.engine.turns.line import Line, Places, Turn, whose_turn
from cabestan.engine.turns.places import THREADS, Kind, places


def line_of(at_once: int, each: int = 0) -> Line:
    return Line(Places(at_once, each or at_once))


def ask(line: Line, **waiting: tuple[int, int]) -> None:
    """Each name with its project and its age."""
    for name, (project, age) in waiting.items():
        line.ask(name, Turn("job", project, age))


def begun(line: Line) -> list[str]:
    """All that get a place now, in this order."""
    names = []
    while given_one := line.next():
        names.append(given_one[0])
    return names


def order(line: Line) -> list[str]:
    """All that waits, in the order in which it begins where each ends before the next one does."""
    names = []
    while given_one := line.next():
        names.append(given_one[0])
        line.leave(given_one[0])
    return names


def test_the_places_go_round_between_the_projects_and_within_one_by_age() -> None:
    line = line_of(1)
    ask(line, a3=(1, 3), a1=(1, 1), a2=(1, 2), b8=(2, 8), b9=(2, 9), c7=(3, 7))
    assert order(line) == ["a1", "b8", "c7", "a2", "b9", "a3"]


def test_what_waits_longest_of_the_same_age_comes_first() -> None:
    line = line_of(1)
    ask(line, z=(1, 1), a=(1, 1))
    assert order(line) == ["z", "a"]


def test_a_project_that_came_late_gets_the_place_that_becomes_free_next() -> None:
    line = line_of(3)
    ask(line, **{f"flood{n}": (1, n) for n in range(300)})
    assert begun(line) == ["flood0", "flood1", "flood2"]
    ask(line, late=(2, 1000))
    assert begun(line) == []
    line.leave("flood1")
    assert begun(line) == ["late"]
    line.leave("flood0")
    assert begun(line) == ["flood3"]


def test_a_project_that_has_a_place_for_long_keeps_nobody_from_one_and_nobody_keeps_it_from_more() -> None:
    line = line_of(3)
    ask(line, a1=(1, 1), a2=(1, 2), a3=(1, 3), b1=(2, 1), b2=(2, 2), b3=(2, 3))
    assert begun(line) == ["a1", "b1", "a2"]
    line.leave("b1")
    assert begun(line) == ["b2"]
    line.leave("a2")
    assert begun(line) == ["a3"]  # each had one by then, and the other was served later
    line.leave("a3")
    assert begun(line) == ["b3"]


def test_no_project_takes_more_than_its_share_of_places() -> None:
    line = line_of(3, each=2)
    ask(line, a1=(1, 1), a2=(1, 2), a3=(1, 3))
    assert begun(line) == ["a1", "a2"]
    ask(line, b1=(2, 9))
    assert begun(line) == ["b1"]


def test_asking_again_changes_nothing_while_it_waits_and_while_it_has_a_place() -> None:
    line = line_of(1)
    for _ in range(3):
        ask(line, a1=(1, 1), a2=(1, 2))
    assert begun(line) == ["a1"]
    ask(line, a1=(1, 1))
    line.leave("a1")
    assert begun(line) == ["a2"]
    line.leave("a2")
    assert begun(line) == []


def test_what_ran_before_has_its_place_even_where_there_are_fewer_now() -> None:
    line = line_of(1)
    line.hold("a1", Turn("job", 1))
    line.hold("b1", Turn("job", 2))
    ask(line, c1=(3, 1))
    line.leave("a1")
    assert begun(line) == []
    line.leave("b1")
    assert begun(line) == ["c1"]


def test_thousands_wait_cheaply() -> None:
    """Counted, not timed: each decision looks at each project that waits once."""
    line = line_of(1)
    ask(line, **{f"p{p}n{n}": (p, n) for p in range(20) for n in range(500)})
    names = order(line)
    assert len(names) == len(set(names)) == 10_000
    assert names[:3] == ["p0n0", "p1n0", "p2n0"]
    assert names[20:22] == ["p0n1", "p1n1"]


@given(
    at_once=st.integers(1, 4),
    each=st.integers(1, 4),
    projects=st.lists(st.integers(1, 5), min_size=1, max_size=60),
    ends=st.randoms(use_true_random=False),
)
def test_whatever_ends_when_all_begin_once_and_nobody_is_passed_over(
    at_once: int, each: int, projects: list[int], ends: object
) -> None:
    """Between two places of a project that waits, no other one gets more than it can hold and one."""
    line = Line(Places(at_once, each))
    turns = {f"n{number}": Turn("job", project, number) for number, project in enumerate(projects)}
    for name, turn in turns.items():
        line.ask(name, turn)
    running: list[str] = []
    given_places: list[int] = []
    while len(given_places) < len(projects):
        while found := line.next():
            running.append(found[0])
            given_places.append(found[1].project)
        assert len(running) <= at_once
        assert all(sum(turns[name].project == one for name in running) <= each for one in set(projects))
        line.leave(running.pop(ends.randrange(len(running))))  # type: ignore[attr-defined]
    assert sorted(given_places) == sorted(projects)
    for project in set(projects):
        first = given_places.index(project)
        assert all(given_places[:first].count(other) <= at_once for other in set(projects))


def test_one_that_has_fewer_comes_before_one_that_waited_longer() -> None:
    assert whose_turn([1, 2], {1: 1}, {2: 9}, Places(3, 3)) == 2
    assert whose_turn([1, 2], {}, {1: 5, 2: 4}, Places(3, 3)) == 2
    assert whose_turn([1, 2], {1: 1, 2: 1}, {}, Places(2, 2)) is None
    assert whose_turn([1], {1: 1}, {}, Places(2, 1)) is None
    assert whose_turn([], {}, {}, Places(2, 1)) is None


def test_all_kinds_together_have_fewer_places_than_there_are_threads_whatever_the_settings_say() -> None:
    greatest = Settings(parallel_jobs=64, parallel_runs=200)
    given_places = places(greatest)
    assert set(given_places) == set(Kind)
    assert sum(of_kind.at_once for of_kind in given_places.values()) + 64 < THREADS
    for name in ("parallel_jobs", "parallel_runs"):
        field = Settings.model_fields[name]
        assert getattr(greatest, name) == max(getattr(rule, "le", 0) for rule in field.metadata)
