from dataclasses import replace

from tests.web.pages.samples import NOW, deployment, environment, job, pipeline, release

from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.web.pages.views.moments import Span
from cabestan.web.pages.views.pipelines import Arrival, JobRow, MadeRelease, pipeline_page, pipeline_row, stages
from cabestan.web.pages.views.states import State

GOOD = State("succeeded", "good", "check")


def test_jobs_stand_in_their_stages_in_order() -> None:
    jobs = (job(1, "lint", "check"), job(2, "a", "build"), job(3, "b", "build", RunStatus.RUNNING))
    made = stages(jobs, "demo/hello", NOW)
    assert [(s.name, s.state.word, [j.name for j in s.jobs]) for s in made] == [
        ("check", "succeeded", ["lint"]),
        ("build", "running", ["a", "b"]),
    ]
    assert made[0].jobs[0] == JobRow(1, "lint", "/demo/hello/jobs/1", "build", GOOD, "", Span("42 s"), 1, ())


def test_a_pipeline_shows_the_release_it_made_and_where_it_went() -> None:
    arrivals = [deployment(5), deployment(6, DeploymentStatus.WAITING, environment="production")]
    page = pipeline_page(pipeline(), [job()], release(3), arrivals, (), may_run=True, now=NOW)
    assert page.release == MadeRelease(
        3,
        "/demo/hello/releases#release-3",
        (
            Arrival("staging", "/demo/hello/deployments/5", GOOD),
            Arrival("production", "/demo/hello/deployments/6", State("waiting", "wait", "pause")),
        ),
    )


def test_a_release_that_goes_nowhere_says_why_and_what_a_deployment_takes() -> None:
    made = release(3)
    without = replace(made, compose_file="", texts={})
    places = (environment(name="production"),)

    def nowhere(one: Release) -> str:
        page = pipeline_page(pipeline(), [job()], one, [], places, may_run=True, now=NOW)
        assert page.release
        return page.release.nowhere

    assert nowhere(without).startswith("It has no Compose file, so nothing can be deployed.")
    assert nowhere(replace(made, branch="feature")).startswith("No environment takes the branch feature.")
    assert nowhere(replace(made, branch="main", default_branch="main")).endswith(
        "The pages of the environments deploy it: production."
    )


def test_only_what_has_not_ended_is_canceled_and_only_what_did_not_succeed_is_retried() -> None:
    def actions(status: RunStatus, may_run: bool = True) -> tuple[bool, bool]:
        page = pipeline_page(pipeline(1, status), [], None, [], (), may_run=may_run, now=NOW)
        return page.may_cancel, page.may_retry

    assert {status: actions(status) for status in RunStatus} == {
        RunStatus.CREATED: (True, False),
        RunStatus.RUNNING: (True, False),
        RunStatus.SUCCEEDED: (False, False),
        RunStatus.FAILED: (False, True),
        RunStatus.CANCELED: (False, True),
        RunStatus.SKIPPED: (False, False),
    }
    assert actions(RunStatus.RUNNING, may_run=False) == (False, False)


def test_a_commit_without_a_message_has_a_title_to_click() -> None:
    assert pipeline_row(pipeline(title=""), NOW).commit.title == "(no message)"
