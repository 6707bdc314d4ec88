"""The page that shows a plan and asks whether it shall be deployed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Plan
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.release import Release
from cabestan.domain.variable import Variable
from cabestan.web.pages.views.asking import asking_href
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.deployments import DeploymentRights, PlanView, StepView, plan_view, steps
from cabestan.web.pages.views.home import Cell, approvers_text
from cabestan.web.pages.views.variables import used_words


@dataclass(frozen=True)
class AskingPage:
    heading: str
    #: of this page, and where its form goes
    href: str
    action: str
    environment: str
    environment_href: str
    release: int
    commit: CommitView
    #: what serves there now, and what goes on
    present: Cell
    plan: PlanView
    steps: tuple[StepView, ...]
    used: Mapping[str, str]
    #: the deployment whose variables and secrets come back too
    restores: int | None
    #: who must approve it; empty where it is deployed at once
    waits_for: str
    may_deploy: bool


def asking_page(
    release: Release,
    environment: Environment,
    plan: Plan,
    present: Cell,
    used: Iterable[Variable],
    *,
    restores: int | None,
    rights: DeploymentRights,
    now: datetime,
) -> AskingPage:
    """`restores` is set for a rollback; `rights` are those of whoever looks."""
    waits = environment.trigger is Trigger.MANUAL and not rights.approve
    words = ("Deploy release {} on {}", "deploy") if restores is None else ("Put release {} back on {}", "rollback")
    action = f"/{environment.project}/{words[1]}"
    return AskingPage(
        heading=words[0].format(release.number, environment.name),
        href=asking_href(environment.project, environment.name, release.number, restores),
        action=action,
        environment=environment.name,
        environment_href=present.href,
        release=release.number,
        commit=commit_view(release.commit, release.title, release.branch),
        present=present,
        plan=plan_view(plan),
        steps=steps(plan, (), now, ended=False),
        used=used_words(used),
        restores=restores,
        waits_for=approvers_text(environment) if waits else "",
        may_deploy=rights.deploy,
    )
