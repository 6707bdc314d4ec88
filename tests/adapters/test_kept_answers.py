import pytest

from cabestan.adapters import kept_answers
from cabestan.adapters.kept_answers import KeptAnswers


def test_a_question_is_asked_once() -> None:
    kept, asked = KeptAnswers(), []
    for _ in range(3):
        assert kept.get(("a", "b"), lambda: asked.append(1) or b"answer") == b"answer"
    assert kept.get(("a",), lambda: b"another") == b"another"
    assert len(asked) == 1


def test_a_failure_is_not_kept() -> None:
    kept = KeptAnswers()
    with pytest.raises(ZeroDivisionError):
        kept.get(("a",), lambda: b"x" * (1 // 0))
    assert kept.get(("a",), lambda: b"better") == b"better"


def test_those_that_nobody_asked_for_the_longest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "_MOST_BYTES", 3 * (100 + kept_answers._BESIDE))
    kept = KeptAnswers()
    for name in ("a", "b", "c", "a", "d"):
        kept.get((name,), lambda: b"." * 100)
    found = {name: kept.get((name,), lambda: b"anew") for name in ("a", "c", "d")}
    assert b"anew" not in found.values()
    assert kept.get(("b",), lambda: b"anew") == b"anew"


def test_a_long_one_puts_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "_LONGEST", 10)
    kept = KeptAnswers()
    kept.get(("short",), lambda: b"short")
    assert kept.get(("long",), lambda: b"." * 11) == b"." * 11
    assert kept.get(("long",), lambda: b"anew") == b"anew"
    assert kept.get(("short",), lambda: b"anew") == b"short"
