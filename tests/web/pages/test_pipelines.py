from dataclasses import replace

from tests.web.pages.samples import deployment, environment, job, pipeline, release, rendered

from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.web.pages.pipelines import Offers, nowhere, offers, stages


def test_jobs_stand_in_their_stages_in_order() -> None:
    jobs = (job(1, "lint", "check"), job(2, "a", "build"), job(3, "b", "build", RunStatus.RUNNING))
    assert [(s.name, s.status, [j.name for j in s.jobs]) for s in stages(jobs)] == [
        ("check", "succeeded", ["lint"]),
        ("build", "running", ["a", "b"]),
    ]


def test_a_pipeline_shows_the_release_it_made_and_where_it_went() -> None:
    page = rendered(
        "pipeline.html",
        pipeline=pipeline(),
        stages=stages((job(),)),
        release=release(3),
        arrivals=[deployment(5), deployment(6, DeploymentStatus.WAITING, environment="production")],
        nowhere="",
        offers=offers(pipeline(), (job(),), may_run=True),
    )
    assert '<a href="/demo/hello/releases#release-3">release 3</a>' in page
    assert 'succeeded</span><a href="/demo/hello/deployments/5">on staging</a>' in page
    assert 'waiting</span><a href="/demo/hello/deployments/6">on production</a>' in page


def test_a_release_that_goes_nowhere_says_why_and_what_a_deployment_takes() -> None:
    made = release(3)

    def told(one: Release) -> str:
        return nowhere(one, (environment(name="production"),))

    assert told(replace(made, compose_file="", texts={})).startswith("It has no Compose file, so nothing can be")
    assert told(replace(made, branch="feature")).startswith("No environment takes the branch feature.")
    assert told(replace(made, branch="main", default_branch="main")).endswith(
        "The pages of the environments deploy it: production."
    )


def test_only_what_has_not_ended_is_canceled_and_only_what_did_not_succeed_is_retried() -> None:
    def actions(status: RunStatus, may_run: bool = True) -> tuple[bool, bool]:
        found = offers(pipeline(1, status), (), may_run=may_run)
        return found.cancel, found.retry

    assert {status: actions(status) for status in RunStatus} == {
        RunStatus.CREATED: (True, False),
        RunStatus.RUNNING: (True, False),
        RunStatus.SUCCEEDED: (False, False),
        RunStatus.FAILED: (False, True),
        RunStatus.CANCELED: (False, True),
        RunStatus.SKIPPED: (False, False),
    }
    assert offers(pipeline(1, RunStatus.FAILED), (), may_run=False) == Offers(cancel=False, retry=False, advice="")


def test_a_commit_without_a_message_has_a_title_to_click() -> None:
    page = rendered("search.html", query="x", kinds=[], pipelines=[pipeline(title="")])
    assert '<a class="title" href="/demo/hello/pipelines/1">(no message)</a>' in page
