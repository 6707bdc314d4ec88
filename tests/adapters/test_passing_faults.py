"""What is started once more: decided by what is, and a few words."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from docker.errors import NotFound

from cabestan.adapters.passing_faults import EngineStart, begins_again, engine_start

_MADE = "2026-11-30T03:16:26.590871986Z"
_TASK = {"ID": "t", "NodeID": "n", "CreatedAt": _MADE, "Status": {"State": "rejected"}}


@pytest.mark.parametrize(
    ("since", "left"),
    [
        ("2026-11-30T03:16:29.640045712Z", True),
        ("2026-11-30T04:16:26.6+01:00", True),
        ("2026-11-30T03:16:26.59Z", False),
        ("2026-11-29T03:16:29.640045712Z", False),
    ],
)
def test_an_engine_that_came_up_after_a_task_was_made_left_it(since: str, left: bool) -> None:
    moment = datetime.fromisoformat(since)
    assert EngineStart("n", moment).left(_TASK) is left
    assert EngineStart("another", moment).left(_TASK) is False
    assert EngineStart("n", None).left(_TASK) is False


def test_a_task_that_no_engine_was_given_lost_none() -> None:
    waiting = {key: value for key, value in _TASK.items() if key != "NodeID"}
    assert EngineStart("", datetime.now(UTC)).left(waiting) is False


def test_an_engine_without_its_default_network_does_not_tell_when_it_came_up() -> None:
    def missing(_name: str) -> None:
        raise NotFound("no such network")

    api = SimpleNamespace(info=lambda: {"Swarm": {"NodeID": "n"}}, inspect_network=missing)
    assert engine_start(SimpleNamespace(api=api)) == EngineStart("n", None)  # type: ignore[arg-type]


#: all seen when an engine was killed at some instant of making a container
_OF_A_DEATH = (
    "starting container failed: task 09a7ab: already exists",
    'Conflict. The container name "/t-job-1" is already in use by container "0a1b"',
    "cannot create a swarm scoped network when swarm is not active",
    "node is missing network attachments, ip addresses may be exhausted",
    "whatever else an engine may say",
)


@pytest.mark.parametrize("words", _OF_A_DEATH)
def test_any_words_of_an_engines_death_lead_to_another_start_which_are_bounded(words: str) -> None:
    assert [begins_again(words, count, left=True) for count in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    "words", ["No such image: x:1", "invalid mount config: bind source path does not exist", *_OF_A_DEATH]
)
def test_a_refusal_of_an_engine_that_was_there_all_the_time_is_told_at_once(words: str) -> None:
    assert begins_again(words, 0, left=False) is False


@pytest.mark.parametrize(
    "words", ["x: device or resource busy", "failed to find a load balancer IP to use for network: n"]
)
def test_faults_that_pass_are_known_by_their_words(words: str) -> None:
    assert [begins_again(words, count, left=False) for count in (0, 4, 5)] == [True, True, False]
