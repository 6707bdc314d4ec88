"""What the engine says of a job's container and of its task."""

from cabestan.adapters.job_containers import LOST, parse_exit, parse_never_started
from cabestan.domain.pipeline import Exit


def _task(state: str, words: str = "") -> dict[str, object]:
    return {"Status": {"State": state, "Err": words}}


def test_a_task_without_a_container_tells_why() -> None:
    assert parse_never_started([_task("rejected", "No such image: x")]) == Exit(None, error="No such image: x")
    assert parse_never_started([_task("preparing")]) is None


def test_a_container_that_a_restarted_engine_does_not_have_any_more_is_lost() -> None:
    """So that the job is run again."""
    words = "No such container: t-job-1-1.x.y"
    assert parse_never_started([_task("failed", words)]) == Exit(LOST, error=words)


def test_an_ended_container_gives_its_exit() -> None:
    assert parse_exit({"Status": "exited", "ExitCode": 3, "OOMKilled": True, "Error": ""}) == Exit(3, True)
    assert parse_exit({"Status": "running", "ExitCode": 0}) is None
