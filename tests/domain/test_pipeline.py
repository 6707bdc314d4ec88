from dataclasses import replace

import pytest
from tests.samples import job, pipeline

from cabestan.domain.outcome import Exit, Verdict, judge_exit
from cabestan.domain.pipeline import BROKE, SAME_COMMIT, Job, LintJob, advice, ready_jobs, unreachable_jobs
from cabestan.domain.status import RunStatus

CREATED, RUNNING, SUCCEEDED = RunStatus.CREATED, RunStatus.RUNNING, RunStatus.SUCCEEDED
FAILED, CANCELED, SKIPPED = RunStatus.FAILED, RunStatus.CANCELED, RunStatus.SKIPPED


def chain(*statuses: RunStatus) -> tuple[Job, ...]:
    """Jobs a, b, c, …, each in need of the one before."""
    names = "abcdef"[: len(statuses)]
    return tuple(
        job(name, status, needs=tuple(names[n - 1 : n]), id=n + 1)
        for n, (name, status) in enumerate(zip(names, statuses, strict=True))
    )


def names_of(jobs: tuple[Job, ...]) -> str:
    return "".join(job.name for job in jobs)


@pytest.mark.parametrize(
    ("jobs", "ready", "unreachable"),
    [
        ((), "", ""),
        (chain(CREATED, CREATED, CREATED), "a", ""),
        (chain(RUNNING, CREATED, CREATED), "", ""),
        (chain(SUCCEEDED, CREATED, CREATED), "b", ""),
        (chain(SUCCEEDED, RUNNING, CREATED), "", ""),
        (chain(FAILED, CREATED, CREATED), "", "bc"),
        (chain(CANCELED, CREATED), "", "b"),
        (chain(SUCCEEDED, FAILED, SKIPPED), "", ""),
        (chain(SKIPPED, CREATED), "", "b"),
        ((job("a", id=1), job("b", id=2)), "ab", ""),
        ((job("a", SUCCEEDED), job("b", FAILED, id=2), job("c", CREATED, ("a", "b"), 3)), "", "c"),
        ((job("a", SUCCEEDED), job("b", RUNNING, id=2), job("c", CREATED, ("a", "b"), 3)), "", ""),
        ((job("a", SUCCEEDED), job("b", SUCCEEDED, id=2), job("c", CREATED, ("a", "b"), 3)), "c", ""),
        ((job("c", CREATED, ("b",), 3), job("b", CREATED, ("a",), 2), job("a", FAILED)), "", "bc"),
    ],
)
def test_jobs_start_when_all_they_need_succeeded_and_are_given_up_when_it_cannot(
    jobs: tuple[Job, ...], ready: str, unreachable: str
) -> None:
    assert names_of(ready_jobs(jobs)) == ready
    assert "".join(sorted(names_of(unreachable_jobs(jobs)))) == unreachable


MEMORY = "Out of memory: the container used more than it may. Raise its limit or use less."


@pytest.mark.parametrize(
    ("exit", "attempt", "verdict"),
    [
        (Exit(0), 1, Verdict(SUCCEEDED)),
        (Exit(1), 1, Verdict(FAILED, "Exit code 1.")),
        (Exit(139), 1, Verdict(FAILED, "Exit code 139.")),
        (Exit(137, out_of_memory=True), 1, Verdict(FAILED, MEMORY)),
        (Exit(1, out_of_memory=True), 3, Verdict(FAILED, MEMORY)),
        (Exit(137), 1, Verdict(RUNNING, "The container was ended from outside (exit code 137).", again=True)),
        (Exit(143), 2, Verdict(RUNNING, "The container was ended from outside (exit code 143).", again=True)),
        (Exit(255), 3, Verdict(FAILED, "The container was ended from outside 3 times (exit code 255).")),
        (Exit(None, error="no such image"), 1, Verdict(FAILED, "The container did not start: no such image.")),
        (Exit(None), 1, Verdict(FAILED, "The container did not start: the engine gives no reason.")),
        (Exit(137, ended_by_us="canceled"), 1, Verdict(CANCELED, "Canceled.")),
        (Exit(0, ended_by_us="canceled"), 1, Verdict(CANCELED, "Canceled.")),
        (Exit(None, error="x", ended_by_us="canceled"), 1, Verdict(CANCELED, "Canceled.")),
        (Exit(137, ended_by_us="Not done after 60 s."), 1, Verdict(FAILED, "Not done after 60 s.")),
    ],
)
def test_an_ended_container_becomes_a_verdict(exit: Exit, attempt: int, verdict: Verdict) -> None:
    assert judge_exit(exit, attempt) == verdict


def _checks(status: RunStatus, reason: str = "") -> Job:
    made = job("lint", status)
    return replace(made, reason=reason, spec=LintJob("lint", "lint"))


@pytest.mark.parametrize(
    ("status", "reason", "jobs", "helps"),
    [
        (FAILED, "lint: docker-compose.yml:3:5 …", (_checks(FAILED, "docker-compose.yml:3:5 …"),), False),
        (FAILED, f"Dockerfile:2:1 … {SAME_COMMIT}", (_checks(SUCCEEDED),), False),
        (FAILED, f"lint: {BROKE}", (_checks(FAILED, f"{BROKE} (…). Retry it."),), True),
        (FAILED, "web: Exit code 1.", (_checks(SUCCEEDED), job("web", FAILED)), True),
        (FAILED, "The registry does not answer.", (_checks(SUCCEEDED),), True),
        (CANCELED, "", (_checks(CANCELED),), True),
        (RUNNING, "", (_checks(FAILED),), True),
    ],
)
def test_a_retry_is_advised_against_where_the_same_commit_fails_again(
    status: RunStatus, reason: str, jobs: tuple[Job, ...], helps: bool
) -> None:
    said = advice(pipeline(status=status, reason=reason), jobs)
    assert (said == "") is helps
