from tests.web.pages.samples import NOW, deployment, job, pipeline, release

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
    page = pipeline_page(pipeline(), [job()], release(3), arrivals, may_run=True, now=NOW)
    assert page.release == MadeRelease(
        3,
        "/demo/hello/releases#release-3",
        (
            Arrival("staging", "/demo/hello/deployments/5", GOOD),
            Arrival("production", "/demo/hello/deployments/6", State("waiting", "wait", "pause")),
        ),
    )


def test_only_what_has_not_ended_is_canceled_and_only_what_did_not_succeed_is_retried() -> None:
    def actions(status: RunStatus, may_run: bool = True) -> tuple[bool, bool]:
        page = pipeline_page(pipeline(1, status), [], None, [], may_run=may_run, now=NOW)
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
