from dataclasses import replace

from tests.web.pages.samples import NOW, approval, deployment, environment, plan, step_run

from cabestan.domain.deployment import StepKind
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.views.deployments import (
    ChangeView,
    DeploymentPage,
    DeploymentRights,
    StepView,
    deployment_page,
    deployment_row,
    short_digests,
    steps,
)
from cabestan.web.pages.views.moments import Span
from cabestan.web.pages.views.states import NOT_DONE, TO_DO, State

GOOD = State("succeeded", "good", "check")
BAD = State("failed", "bad", "cross")


def _page(
    status: DeploymentStatus, *, approve: bool = True, deploy: bool = True, planned: bool = True
) -> DeploymentPage:
    rights = DeploymentRights(approve, deploy)
    made = deployment(2, status)
    return deployment_page(made, environment(), {}, plan() if planned else None, [], [], rights, NOW)


def test_steps_are_shown_as_planned_and_as_they_went() -> None:
    runs = (step_run(StepKind.PULL), step_run(StepKind.APPLY, "failed", "no such image"))
    shown = steps(plan(), runs, NOW, ended=False)
    assert shown == (
        StepView("pull demo/hello", GOOD, "", Span("2.0 s"), "at most 15 min"),
        StepView("apply demo/hello", BAD, "no such image", Span("2.0 s"), "at most 3 min"),
        StepView("Watch until healthy: web, worker", TO_DO, "", Span(""), "at most 5 min"),
        StepView("Check through the router: production-hello-demo.localhost/", TO_DO, "", Span(""), "at most 30 s"),
    )


def test_steps_that_were_never_reached_say_so_and_putting_back_is_shown() -> None:
    runs = (step_run(StepKind.PULL), step_run(StepKind.PUT_BACK))
    shown = steps(plan(), runs, NOW, ended=True)
    assert [step.state for step in shown] == [GOOD, NOT_DONE, NOT_DONE, NOT_DONE, GOOD]


def test_digests_are_shortened_for_reading() -> None:
    text = f"Pull a@sha256:{'ab' * 32}, b@sha256:{'cd' * 32}"
    assert short_digests(text) == "Pull a@sha256:abababababab, b@sha256:cdcdcdcdcdcd"


def test_changes_have_a_sign_beside_their_words() -> None:
    shown = _page(DeploymentStatus.WAITING).plan
    assert shown is not None
    assert shown.changes == (
        ChangeView("~", "busy", "image web: demo/hello:89abcdef → demo/hello:01234567"),
        ChangeView("+", "good", "service added worker: demo/hello/worker:01234567"),
        ChangeView("-", "bad", "route removed old.localhost: web"),
        ChangeView("~", "busy", "Secret KEY: version 2 becomes version 3"),
    )


def test_only_what_waits_with_a_plan_is_approved_by_who_may() -> None:
    assert _page(DeploymentStatus.WAITING).may_approve
    assert not _page(DeploymentStatus.WAITING, approve=False).may_approve
    assert not _page(DeploymentStatus.WAITING, planned=False).may_approve
    assert not _page(DeploymentStatus.QUEUED).may_approve


def test_only_what_has_not_ended_is_canceled() -> None:
    cancelable = [status for status in DeploymentStatus if _page(status).may_cancel]
    assert cancelable == [DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING]
    assert not _page(DeploymentStatus.RUNNING, deploy=False).may_cancel


def test_what_served_before_can_be_put_back_and_what_serves_cannot() -> None:
    def may_roll_back(status: DeploymentStatus, *, current: bool) -> bool:
        return deployment_row(deployment(1, status), {}, NOW, current=current, may_deploy=True).back_href != ""

    assert may_roll_back(DeploymentStatus.SUCCEEDED, current=False)
    assert not may_roll_back(DeploymentStatus.SUCCEEDED, current=True)
    assert not may_roll_back(DeploymentStatus.FAILED, current=False)


def test_a_void_approval_says_why() -> None:
    void = approval(void="A newer release arrived.")
    rights = DeploymentRights(True, True)
    given = [approval(comment="fine"), void, replace(approval(), approved=False)]
    page = deployment_page(deployment(), environment(), {}, None, [], given, rights, NOW)
    assert [(a.state.word, a.word, a.comment, a.void) for a in page.approvals] == [
        ("approved", "approved", "fine", ""),
        ("void", "approved", "", "A newer release arrived."),
        ("rejected", "rejected", "", ""),
    ]
