"""Environments: the list, and one with its services, history and settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import DEFAULT_BRANCH, Environment
from cabestan.domain.release import Release
from cabestan.web.pages.views.deployments import DeploymentRow, deployment_row
from cabestan.web.pages.views.home import Cell, activity, cell
from cabestan.web.pages.views.services import ServiceView
from cabestan.web.pages.views.variables import OutdatedNote, SettingRow


@dataclass(frozen=True)
class SettingsForm:
    """What the settings form is filled with: lists as text, separated by commas."""

    domain: str
    default_domain: str
    trigger: str
    branches: str
    approvers: str
    watch_seconds: int
    plain_http: bool = False
    time_zone: str = ""
    default_time_zone: str = ""
    compose_files: str = ""


@dataclass(frozen=True)
class ReleaseChoice:
    number: int
    text: str


@dataclass(frozen=True)
class Rights:
    deploy: bool
    configure: bool
    #: to say how releases come, and who approves them
    set_approval: bool


@dataclass(frozen=True)
class EnvironmentPage:
    """`services` is None where the engine does not answer, with the reason in `engine_trouble`."""

    cell: Cell
    url: str
    services: tuple[ServiceView, ...] | None
    engine_trouble: str
    routes: tuple[str, ...]
    history: tuple[DeploymentRow, ...]
    history_href: str
    form: SettingsForm
    settings: tuple[SettingRow, ...]
    choices: tuple[ReleaseChoice, ...]
    rights: Rights
    outdated: OutdatedNote | None = None


def settings_form(environment: Environment, target_domain: str, default_time_zone: str) -> SettingsForm:
    shown = ("(default branch)" if pattern == DEFAULT_BRANCH else pattern for pattern in environment.branches)
    return SettingsForm(
        domain=environment.domain,
        default_domain=environment.default_domain(target_domain),
        trigger=environment.trigger,
        branches=", ".join(shown),
        approvers=", ".join(environment.approvers),
        watch_seconds=environment.watch_seconds,
        plain_http=environment.plain_http,
        time_zone=environment.time_zone,
        default_time_zone=default_time_zone,
        compose_files=", ".join(environment.compose_files),
    )


def release_choice(release: Release) -> ReleaseChoice:
    title = release.title if len(release.title) <= 60 else f"{release.title[:59]}…"
    return ReleaseChoice(release.number, f"{release.number} · {title} · {release.branch}")


def split_list(text: str) -> tuple[str, ...]:
    """What a person typed into a list's field: by commas or spaces."""
    parts = text.replace("(default branch)", DEFAULT_BRANCH).replace(",", " ").split()
    return tuple(dict.fromkeys(parts))


def history(
    deployments: Iterable[Deployment],
    environment: Environment,
    titles: Mapping[int, str],
    now: datetime,
    *,
    may_deploy: bool,
) -> tuple[DeploymentRow, ...]:
    return tuple(
        deployment_row(d, titles, now, current=d.id == environment.current_deployment_id, may_deploy=may_deploy)
        for d in deployments
    )


def environment_cell(
    environment: Environment, deployments: Iterable[Deployment], titles: Mapping[int, str], now: datetime
) -> Cell:
    return cell(environment, activity(environment, deployments), titles, now)
