"""How what runs once ended, by its tasks alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.adapters.engine_answers import task

from cabestan.adapters.task_ends import LOST, parse_end, parse_former_end, parse_never_started
from cabestan.domain.outcome import Exit


@pytest.mark.parametrize(
    ("tasks", "exit"),
    [
        ([], None),
        ([task(1, "preparing")], None),
        ([task(1, "running")], None),
        ([task(1, "complete")], None),
        ([task(1, "rejected", Err="No such image: x:1")], Exit(None, error="No such image: x:1")),
        ([task(1, "failed", Message="starting")], Exit(None, error="starting")),
        ([task(1, "orphaned", Message="")], Exit(None, error="orphaned")),
        ([task(1, "failed", Err="task: non-zero exit (137)")], Exit(137, error="task: non-zero exit (137)")),
    ],
)
def test_a_task_that_never_had_a_container_tells_why(tasks: list[dict[str, Any]], exit: Exit | None) -> None:
    assert parse_end(tasks, ()) == exit


@pytest.mark.parametrize("words", ["No such container: t-job-1-1.x.y", "any other words"])
def test_a_container_that_a_restarted_engine_does_not_have_any_more_is_lost(words: str) -> None:
    """So that the job is run again. One that is there was never started, and one that was never made is not lost."""
    failed = {"Status": {"State": "failed", "Err": words, "ContainerStatus": {"ContainerID": "a"}}}
    assert parse_never_started(failed, {"b"}) == Exit(LOST, error=words)
    assert parse_never_started(failed, {"a", "b"}) == Exit(None, error=words)
    failed["Status"]["ContainerStatus"] = {"ContainerID": ""}
    assert parse_never_started(failed, {"b"}) == Exit(None, error=words)


def test_what_swarm_begins_anew_by_itself_is_waited_for() -> None:
    """What ran and ended counts at once, whatever comes after."""
    died, again = task(1, "rejected", Err="already in use"), task(2, "preparing")
    assert parse_end([again, died], ()) is None
    ended = task(1, "failed", Err="task: non-zero exit (137)")
    assert parse_end([again, ended], ()) == Exit(137, error="task: non-zero exit (137)")


def of_job(created: int, state: str, container: str, restarts: int = 0, **status: Any) -> dict[str, Any]:
    made = {"State": state, "ContainerStatus": {"ContainerID": container}, **status}
    spec = {"ForceUpdate": restarts} if restarts else {}
    return {"CreatedAt": f"2026-01-01T00:00:0{created}Z", "Spec": spec, "Status": made}


def test_the_first_container_of_a_job_counts_also_where_it_is_gone() -> None:
    """Swarm starts what failed once more when it comes back."""
    ended, again = of_job(1, "failed", "a", Err="task: non-zero exit (137)"), of_job(2, "running", "b")
    assert parse_former_end([again, ended], "b", {"b"}) == Exit(137, error="task: non-zero exit (137)")
    assert parse_former_end([again, ended], "a", {"b"}) is None
    assert parse_former_end([again], "b", {"b"}) is None
    assert parse_former_end([], "b", {"b"}) is None


def test_what_was_never_started_is_no_first_container() -> None:
    """Its engine died as it was made; whether one that is gone was started, nobody knows."""
    died, again = of_job(1, "failed", "a", Err="already exists"), of_job(2, "running", "b")
    assert parse_former_end([again, died], "b", {"a", "b"}) is None
    assert parse_former_end([again, died], "b", {"b"}) == Exit(LOST, error="already exists")


def test_what_never_started_and_was_started_again_on_purpose_is_no_first_container() -> None:
    tasks = [of_job(1, "failed", "a", Err="device or resource busy"), of_job(2, "running", "b", restarts=1)]
    assert parse_former_end(tasks, "b", {"a", "b"}) is None
