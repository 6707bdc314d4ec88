from datetime import UTC, datetime

import pytest

from cabestan.domain.observed import (
    Condition,
    LastExit,
    Seen,
    SeenService,
    condition_of,
    service_condition,
    shown,
    with_answers,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
UP, WORSE, DOWN, STOPPED = Condition.SERVING, Condition.DEGRADED, Condition.DOWN, Condition.STOPPED


def service(condition: Condition, *, routed: bool = False) -> SeenService:
    return SeenService("web", condition, 1, 1, routed=routed)


@pytest.mark.parametrize(
    ("wanted", "running", "restarts", "condition"),
    [
        (1, 1, 0, UP),
        (1, 1, 2, UP),
        (1, 1, 3, WORSE),
        (3, 2, 0, WORSE),
        (1, 0, 0, DOWN),
        (3, 0, 9, DOWN),
        (2, 3, 0, UP),  # an update starts the new ones first
        (0, 0, 0, STOPPED),
    ],
)
def test_a_service_is_what_its_containers_do(wanted: int, running: int, restarts: int, condition: Condition) -> None:
    assert service_condition(wanted, running, restarts) is condition


@pytest.mark.parametrize(
    ("services", "condition"),
    [
        ((), STOPPED),
        ((service(STOPPED),), STOPPED),
        ((service(UP), service(STOPPED)), UP),
        ((service(UP), service(DOWN)), WORSE),
        ((service(DOWN), service(DOWN)), DOWN),
        ((service(DOWN, routed=True), service(UP)), DOWN),
        ((service(UP, routed=True), service(DOWN)), WORSE),
        ((service(WORSE, routed=True), service(DOWN, routed=True)), WORSE),
    ],
)
def test_an_environment_is_what_requests_meet(services: tuple[SeenService, ...], condition: Condition) -> None:
    assert condition_of(services) is condition


def test_what_is_wrong_is_told_in_a_line() -> None:
    ended = LastExit(NOW, 137, "it used more memory than it may")
    assert SeenService("web", WORSE, 3, 2).sentence == "2 of 3 run"
    assert (
        SeenService("web", DOWN, 1, 0, 4, ended).sentence
        == "0 of 1 run, restarted 4 × in 2 minutes, exit code 137, it used more memory than it may"
    )
    assert SeenService("web", DOWN, 1, 0, 0, LastExit(NOW, None)).sentence == "0 of 1 run, it did not start"
    assert SeenService("web", UP, 1, 1, 0, ended).sentence == "1 of 1 run", "an end of long ago"


def test_only_what_is_not_well_needs_somebody() -> None:
    seen = Seen(WORSE, NOW, (service(UP), service(DOWN), service(STOPPED), service(WORSE)))
    assert [one.condition for one in seen.unwell] == [DOWN, WORSE]


def test_an_environment_has_one_word_also_before_it_is_seen() -> None:
    assert [shown(False, None), shown(True, None), shown(True, Seen(DOWN, NOW))] == ["empty", "serving", "down"]


@pytest.mark.parametrize(
    ("wrong", "none", "condition"),
    [
        ((), False, Condition.SERVING),
        (("a.org/ answers 502",), True, Condition.DOWN),
        (("a.org/ answers 502",), False, Condition.DEGRADED),
    ],
)
def test_what_runs_and_does_not_answer_is_not_well(wrong: tuple[str, ...], none: bool, condition: Condition) -> None:
    service = with_answers(SeenService("web", Condition.SERVING, 1, 1), wrong, none=none)
    assert service.condition is condition
    assert service.sentence == ("1 of 1 run, but a.org/ answers 502" if wrong else "1 of 1 run")


def test_what_does_not_run_needs_no_other_reason() -> None:
    for service in (SeenService("web", Condition.DOWN, 1, 0), SeenService("web", Condition.STOPPED, 0, 0)):
        assert with_answers(service, ("a.org/ answers 503",), none=True) == service
