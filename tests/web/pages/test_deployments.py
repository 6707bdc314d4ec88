from dataclasses import replace
from typing import Any

from tests.web.pages.samples import approval, deployment, environment, plan, rendered

from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.addresses import back_href
from cabestan.web.pages.deployments import Offers, offers


def _offers(status: DeploymentStatus, *, approve: bool = True, deploy: bool = True, planned: bool = True) -> Offers:
    return offers(deployment(2, status), plan() if planned else None, may_approve=approve, may_deploy=deploy)


def test_only_what_waits_with_a_plan_is_approved_by_who_may() -> None:
    assert _offers(DeploymentStatus.WAITING).approve
    assert not _offers(DeploymentStatus.WAITING, approve=False).approve
    assert not _offers(DeploymentStatus.WAITING, planned=False).approve
    assert not _offers(DeploymentStatus.QUEUED).approve


def test_only_what_has_not_ended_is_canceled() -> None:
    cancelable = [status for status in DeploymentStatus if _offers(status).cancel]
    assert cancelable == [DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING]
    assert not _offers(DeploymentStatus.RUNNING, deploy=False).cancel


def test_what_served_before_can_be_put_back_and_what_serves_cannot() -> None:
    way = "/demo/hello/rollback?environment=staging&release=1&deployment=1"
    assert back_href(deployment(1), serving=[2, None]) == way
    assert back_href(deployment(1), serving=[1]) == ""
    assert back_href(deployment(1, DeploymentStatus.FAILED), serving=[]) == ""


def _page(**values: Any) -> str:
    found = deployment()
    given = {
        "deployment": found,
        "environment": environment(),
        "title": None,
        "serving": [],
        "plan": None,
        "evidence": None,
        "steps": (),
        "approvals": [],
        "offers": Offers(approve=False, cancel=False),
        "runs": (),
        "log": None,
        "used": {},
    }
    return rendered("deployment.html", **given | values)


def test_a_void_approval_says_why() -> None:
    void = approval(void="A newer release arrived.")
    page = _page(approvals=[approval(comment="fine"), void, replace(approval(), approved=False)])
    assert "approved</span><span>approved by bert</span>" in page
    assert "“fine”" in page
    assert "void</span><span>approved by bert</span>" in page
    assert "Void: A newer release arrived." in page
    assert "rejected</span><span>rejected by bert</span>" in page


def test_what_nobody_else_approved_and_yet_began_was_deployed_by_who_wanted_it() -> None:
    assert "deployed by anna" in _page()
    assert "deployed by" not in _page(deployment=deployment(approved_by="bert"))
    assert "deployed by" not in _page(deployment=deployment(started_at=None, finished_at=None))
