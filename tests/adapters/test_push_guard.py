from __future__ import annotations

import pytest

from cabestan.adapters.push_guard import LONGEST_NAME, Guard, Move, parse_moves, protected, too_many, unnameable

ZERO, ONE, TWO = "0" * 40, "1" * 40, "2" * 40
GUARD = Guard("shop/api", "dev", ("main", "release/*"), refs=10)


def made(ref: str) -> Move:
    return Move(ZERO, ONE, ref)


def test_what_a_push_moves() -> None:
    data = (
        f"{ZERO} {ONE} refs/heads/a\n{ONE} {ZERO} refs/heads/b\x85c\n".encode()
        + f"{ONE} {TWO} refs/tags/".encode()
        + b"\xff\n"
    )
    assert parse_moves(data) == (
        made("refs/heads/a"),
        Move(ONE, ZERO, "refs/heads/b\x85c"),
        Move(ONE, TWO, "refs/tags/\udcff"),
    )


@pytest.mark.parametrize(
    ("ref", "shown"),
    [
        ("refs/replace/1", "refs/replace/1 is not taken: push branches and tags only"),
        ("refs/heads/HEAD", "refs/heads/HEAD is not taken: push branches and tags only"),
        ("HEAD", "HEAD is not taken: push branches and tags only"),
        ("refs/heads/-x", "refs/heads/-x is not taken: a name is text"),
        ("refs/tags/--output=x", "refs/tags/--output=x is not taken: a name is text"),
        ("refs/heads/\udcff", "refs/heads/\\udcff is not taken: a name is text"),
        ("refs/heads/" + "n" * (LONGEST_NAME + 1), "is not taken: a name is text"),
    ],
)
def test_names_that_are_not_taken(ref: str, shown: str) -> None:
    (line,) = unnameable([made(ref), made("refs/heads/good"), made("refs/tags/v1")])
    assert shown in line
    assert unnameable([Move(ONE, ZERO, ref)]) == []


@pytest.mark.parametrize("name", ["a b", "$(touch x)", "é", "a-b", "n" * LONGEST_NAME, "a/-b", "`x`", ";x"])
def test_names_that_are_taken(name: str) -> None:
    assert unnameable([made(f"refs/heads/{name}")]) == []


def test_protected_branches_are_told_and_no_others() -> None:
    lines = protected(GUARD, [made("refs/heads/main"), made("refs/heads/release/1"), made("refs/heads/x")])
    assert [line.split(" ")[0] for line in lines] == ["main", "release/1", "You", "Or"]
    assert protected(GUARD, [made("refs/heads/x"), made("refs/tags/main")]) == []
    assert protected(Guard("shop/api", "boss"), [made("refs/heads/main")]) == []


@pytest.mark.parametrize(
    ("moves", "there", "taken"),
    [
        ([made("refs/heads/a")], 9, True),
        ([made("refs/heads/a")], 10, False),
        ([made("refs/heads/a"), Move(ONE, ZERO, "refs/heads/b")], 10, True),
        ([Move(ONE, TWO, "refs/heads/b")], 11, True),
        ([Move(ONE, ZERO, "refs/heads/b")], 11, True),
    ],
)
def test_a_project_gets_no_more_refs_than_it_may_have(moves: list[Move], there: int, taken: bool) -> None:
    assert (too_many(GUARD, moves, there) == []) is taken
