from dataclasses import replace
from typing import Any

import pytest

from cabestan.domain.narration import told
from cabestan.domain.progress import DeploymentProgress, JobProgress, Progress, StepProgress
from cabestan.domain.status import DeploymentStatus, RunStatus

NEW = Progress(12, "main", "c0ffee", "http://x/12", RunStatus.CREATED)
BUILDING = replace(
    NEW,
    status=RunStatus.RUNNING,
    jobs=(
        JobProgress(1, "lint", RunStatus.SUCCEEDED, seconds=1.2),
        JobProgress(2, "app", RunStatus.RUNNING),
        JobProgress(3, "web", RunStatus.CREATED),
    ),
)
STAGING = DeploymentProgress(9, "staging", DeploymentStatus.RUNNING, url="https://staging.example")
PRODUCTION = DeploymentProgress(10, "production", DeploymentStatus.WAITING)
PULL = StepProgress("Pull app", "succeeded", 61.0)
DEPLOYING = replace(NEW, status=RunStatus.SUCCEEDED, release=5, deployments=(STAGING, PRODUCTION))


def deployed(**changes: Any) -> Progress:
    return replace(DEPLOYING, deployments=(replace(STAGING, **changes), PRODUCTION))


def test_nothing_is_told_twice() -> None:
    for now in (NEW, BUILDING, DEPLOYING, deployed(steps=(PULL,)), replace(BUILDING, status=RunStatus.FAILED)):
        assert told(now, now) == ()


def test_jobs_are_told_as_they_go() -> None:
    assert told(None, NEW) == ()
    assert told(NEW, BUILDING) == ("✓ succeeded  lint  (1 s)", "◐ running    app")
    built = JobProgress(2, "app", RunStatus.SUCCEEDED, seconds=14, image="shop/api")
    done = replace(BUILDING, jobs=(BUILDING.jobs[0], built, BUILDING.jobs[2]))
    assert told(BUILDING, done) == ("✓ succeeded  app  (14 s): image shop/api",)
    assert told(done, replace(done, jobs=(*done.jobs[:2], replace(done.jobs[2], status=RunStatus.SKIPPED)))) == (
        "- skipped    web",
    )


def test_a_failure_tells_the_last_lines_and_where_to_look() -> None:
    lines = tuple(f"line {number}" for number in range(20))
    failed = JobProgress(2, "app", RunStatus.FAILED, "Exit code 1.\nMore.", seconds=3, last_lines=lines)
    now = replace(BUILDING, status=RunStatus.FAILED, reason="app: Exit code 1.", jobs=(BUILDING.jobs[0], failed))
    assert told(BUILDING, now) == (
        "✗ failed     app  (3 s): Exit code 1.",
        "    More.",
        *(f"    | line {number}" for number in range(8, 20)),
        "Pipeline 12 failed.",
        "  See http://x/12",
    )


def test_a_pipeline_that_ends_without_jobs_tells_why() -> None:
    failed = replace(NEW, status=RunStatus.FAILED, reason="compose.yml:3: no\x1b[2Jt so.\r\nSee there.")
    assert told(NEW, failed) == ("Pipeline 12 failed: compose.yml:3: not so.", "  See there.", "  See http://x/12")
    skipped = replace(NEW, status=RunStatus.SKIPPED, notes=("There is no Dockerfile.",))
    assert told(NEW, skipped) == ("Pipeline 12 has nothing to build.", "  Note: There is no Dockerfile.")


def test_deployments_are_told_step_by_step_to_their_end() -> None:
    assert told(NEW, DEPLOYING) == (
        "Release 5 is made.",
        "staging: deployment 9",
    )
    watching = StepProgress("Watch", "running")
    assert told(DEPLOYING, deployed(steps=(PULL, watching))) == (
        "  ✓ succeeded  Pull app  (1 min 01 s)",
        "  ◐ running    Watch",
    )
    serving = deployed(steps=(PULL,), status=DeploymentStatus.SUCCEEDED)
    end = (
        "staging: serving at https://staging.example",
        "production: deployment 10 waits for an approval: cabestan approve 10",
    )
    assert told(deployed(steps=(PULL,)), serving) == end
    assert told(serving, serving) == ()
    assert told(None, serving) == (
        "Release 5 is made.",
        "staging: deployment 9",
        "  ✓ succeeded  Pull app  (1 min 01 s)",
        *end,
    )


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("failed", "staging: deployment 9 failed: app: exit (7)"),
        ("rolled_back", "staging: deployment 9 failed, and the former release serves again: app: exit (7)"),
        ("superseded", "staging: deployment 9 gave way to a newer one: app: exit (7)"),
        ("canceled", "staging: deployment 9 was canceled: app: exit (7)"),
    ],
)
def test_a_deployment_that_ends_otherwise_tells_why(status: str, line: str) -> None:
    ended = deployed(status=DeploymentStatus(status), reason="app: exit (7)\nits words")
    assert told(DEPLOYING, ended)[:-1] == (line, "  its words")


def test_a_queued_deployment_is_told_when_it_waits_and_when_it_begins() -> None:
    queued = deployed(status=DeploymentStatus.QUEUED)
    assert told(NEW, queued)[1] == "staging: deployment 9 waits for its turn"
    assert told(queued, DEPLOYING) == ("staging: deployment 9",)


def test_a_release_that_goes_nowhere_says_how_it_would() -> None:
    alone = replace(DEPLOYING, deployments=())
    assert told(NEW, alone)[1] == "  No environment takes main by itself: cabestan deploy 5 -e ENV"
    overtaken = replace(alone, newer_release=6, notes=("Release 6, of a newer commit, is there already.",))
    assert told(NEW, overtaken) == ("  Note: Release 6, of a newer commit, is there already.", "Release 5 is made.")


def test_others_words_forge_no_line() -> None:
    evil = JobProgress(2, "a\rstaging: serving", RunStatus.FAILED, "x\r\x1b[Kstaging: serving", last_lines=("\rok",))
    assert told(None, replace(NEW, status=RunStatus.RUNNING, jobs=(evil,))) == (
        "✗ failed     staging: serving: x",
        "    staging: serving",
        "    | ok",
    )
