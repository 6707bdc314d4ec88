"""Deployments: the list, and one with its plan, approvals and steps."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cabestan.domain.deployment import Approval, Deployment, Plan, PlannedChange, StepRun
from cabestan.domain.environment import Environment
from cabestan.domain.run import Run
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.variable import Variable
from cabestan.web.pages.views.asking import asking_href
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.home import approvers_text
from cabestan.web.pages.views.jobs import LogView
from cabestan.web.pages.views.moments import Span, When, span, when
from cabestan.web.pages.views.schedules import RunRow, run_row
from cabestan.web.pages.views.states import NOT_DONE, TO_DO, State, deployment_state, step_state
from cabestan.web.pages.views.variables import used_words


@dataclass(frozen=True)
class DeploymentRow:
    id: int
    href: str
    project: str
    environment: str
    environment_href: str
    release: int
    commit: CommitView
    state: State
    reason: str
    by: str
    approved_by: str
    created: When
    took: Span
    #: it is what serves now
    current: bool
    #: where an earlier one that succeeded can be put back
    back_href: str = ""


@dataclass(frozen=True)
class StepView:
    """A step, as planned and as it went."""

    text: str
    state: State
    detail: str
    took: Span
    deadline: str


@dataclass(frozen=True)
class ChangeView:
    """One line of the difference, whose words say what its sign (`+`, `-`, `~`) does."""

    sign: str
    tone: str
    text: str


@dataclass(frozen=True)
class ApprovalView:
    by: str
    word: str
    state: State
    comment: str
    when: When
    void: str


@dataclass(frozen=True)
class PlanView:
    fingerprint: str
    changes: tuple[ChangeView, ...]
    warnings: tuple[str, ...]
    stack: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class DeploymentPage:
    row: DeploymentRow
    url: str
    steps: tuple[StepView, ...]
    plan: PlanView | None
    approvals: tuple[ApprovalView, ...]
    waits_for: str
    may_approve: bool
    may_cancel: bool
    restores: int | None
    #: what it ran once, and the log of the one that goes on, or failed, or was the last
    runs: tuple[RunRow, ...] = ()
    log: LogView | None = None
    #: the versions of variables and secrets that it uses: name, and where it comes from
    used: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_words(self) -> str:
        """Who wanted it, or did it: what nobody else approved and yet began was deployed by that person."""
        return "deployed by" if self.row.took.text and not self.row.approved_by else "by"


@dataclass(frozen=True)
class DeploymentRights:
    approve: bool
    deploy: bool


def deployment_row(
    deployment: Deployment, titles: Mapping[int, str], now: datetime, *, current: bool, may_deploy: bool = False
) -> DeploymentRow:
    """`titles` maps a release's id to its commit's title."""
    return DeploymentRow(
        id=deployment.id,
        href=f"/{deployment.project}/deployments/{deployment.id}",
        project=deployment.project,
        environment=deployment.environment,
        environment_href=f"/{deployment.project}/environments/{deployment.environment}",
        release=deployment.release,
        commit=commit_view(deployment.commit, titles.get(deployment.release_id, "")),
        state=deployment_state(deployment.status),
        reason=deployment.reason,
        by=deployment.by,
        approved_by=deployment.approved_by,
        created=when(deployment.created_at, now),
        took=span(deployment.started_at, deployment.finished_at, now),
        current=current,
        back_href=_back_href(deployment) if may_deploy and not current else "",
    )


def _back_href(deployment: Deployment) -> str:
    if deployment.status is not DeploymentStatus.SUCCEEDED:
        return ""
    return asking_href(deployment.project, deployment.environment, deployment.release, deployment.id)


def deployment_page(
    deployment: Deployment,
    environment: Environment,
    titles: Mapping[int, str],
    plan: Plan | None,
    runs: Iterable[StepRun],
    approvals: Iterable[Approval],
    rights: DeploymentRights,
    now: datetime,
    used: Iterable[Variable] = (),
    once: tuple[Run, ...] = (),
    log: LogView | None = None,
) -> DeploymentPage:
    waiting = deployment.status is DeploymentStatus.WAITING
    current = environment.current_deployment_id == deployment.id
    return DeploymentPage(
        row=deployment_row(deployment, titles, now, current=current, may_deploy=rights.deploy),
        url=deployment.url,
        steps=steps(plan, tuple(runs), now, ended=deployment.status.ended),
        plan=plan_view(plan) if plan else None,
        approvals=tuple(_approval(approval, now) for approval in approvals),
        waits_for=approvers_text(environment) if waiting else "",
        may_approve=waiting and rights.approve and plan is not None,
        may_cancel=rights.deploy and not deployment.status.ended,
        restores=deployment.restores_id,
        runs=tuple(run_row(run, now) for run in once),
        log=log,
        used=used_words(used),
    )


def steps(plan: Plan | None, runs: tuple[StepRun, ...], now: datetime, *, ended: bool) -> tuple[StepView, ...]:
    """The planned steps with how they went; what ran beside the plan (putting back) comes where it ran."""
    done = {run.position: run for run in runs}
    planned = dict(enumerate(plan.steps)) if plan else {}
    views = []
    for position in sorted({*done, *planned}):
        step, run = planned.get(position), done.get(position)
        deadline = f"at most {_deadline(step.deadline_seconds)}" if step else ""
        if run:
            took = span(run.started_at, run.finished_at, now)
            views.append(StepView(short_digests(run.text), step_state(run.status), run.detail, took, deadline))
        elif step:
            views.append(StepView(short_digests(step.text), NOT_DONE if ended else TO_DO, "", Span(""), deadline))
    return tuple(views)


def short_digests(text: str) -> str:
    """The first twelve digits tell an image from another; the stack has all of them."""
    return _DIGEST.sub(r"\1", text)


_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
#: the last word of a change's kind, its sign and its tone
_SIGNS = {"added": ("+", "good"), "removed": ("-", "bad"), "used": ("-", "bad")}


def plan_view(plan: Plan) -> PlanView:
    return PlanView(plan.fingerprint, tuple(map(_change, plan.changes)), plan.warnings, plan.stack, plan.secrets)


def _change(change: PlannedChange) -> ChangeView:
    sign, tone = _SIGNS.get(change.kind.rpartition(" ")[2], ("~", "busy"))
    return ChangeView(sign, tone, change.text)


def _approval(approval: Approval, now: datetime) -> ApprovalView:
    word = "approved" if approval.approved else "rejected"
    tone, shape = ("good", "check") if approval.approved else ("bad", "cross")
    state = State("void", "quiet", "slash") if approval.void else State(word, tone, shape)
    return ApprovalView(approval.by, word, state, approval.comment, when(approval.created_at, now), approval.void)


def _deadline(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
