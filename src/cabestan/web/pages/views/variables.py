"""Variables and secrets: what is set at which level, what each environment gets of it, and every version of one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.domain.variable import Level, Variable, Variables
from cabestan.engine.variables.levels import Outdated
from cabestan.web.pages.views.asking import asking_href
from cabestan.web.pages.views.moments import When, when

#: characters of a value in the overview
_LONGEST = 120


@dataclass(frozen=True)
class SettingRow:
    """`scope` is an environment's name, or empty. A secret's value is never here, a masked one's not for everybody."""

    name: str
    scope: str
    secret: bool
    value: str
    version: int
    by: str
    changed: When
    #: such as `group shop`, with the page where it can be changed
    where: str = ""
    where_href: str = ""
    history_href: str = ""
    badges: tuple[str, ...] = ()
    #: the form that takes it away; empty where that may not be done here
    unset_action: str = ""
    removed: bool = False


@dataclass(frozen=True)
class EffectiveCell:
    """What one environment gets of a name; `text` is empty where it gets nothing."""

    text: str
    secret: bool
    source: str


@dataclass(frozen=True)
class EffectiveRow:
    name: str
    cells: tuple[EffectiveCell | None, ...]


@dataclass(frozen=True)
class OutdatedNote:
    """What was changed since the deployment that serves, and the way to bring it there."""

    environment: str
    text: str
    deployment: int
    deployment_href: str
    release: int
    #: where deploying it again is asked about
    again_href: str


@dataclass(frozen=True)
class Place:
    """Where the forms of a page lead. `group` alone for a group's page."""

    base: str
    project: str = ""
    group: str = ""


@dataclass(frozen=True)
class VariablesPage:
    place: Place
    rows: tuple[SettingRow, ...]
    #: environments that can be chosen
    scopes: tuple[str, ...]
    effective: tuple[EffectiveRow, ...]
    notes: tuple[OutdatedNote, ...]
    protected_branches: str
    may_configure: bool
    may_deploy: bool = False
    #: the group's own page; empty for those who may not see it
    group_href: str = ""


@dataclass(frozen=True)
class HistoryPage:
    name: str
    where: str
    rows: tuple[SettingRow, ...]
    back_href: str


@dataclass(frozen=True)
class Reader:
    """Who looks: `place` is the page, `files` the names that services get as files, `now` the time."""

    place: Place
    now: datetime
    may_configure: bool
    files: frozenset[str] = frozenset()
    #: the group's own page; empty for those who may not see it
    group_href: str = ""


def setting_rows(settings: Iterable[Variable], reader: Reader) -> tuple[SettingRow, ...]:
    return tuple(_row(setting, reader) for setting in settings)


def _row(setting: Variable, reader: Reader) -> SettingRow:
    here = reader.place.group == setting.group and reader.may_configure
    hidden = setting.secret or (setting.masked and not reader.may_configure)
    return SettingRow(
        name=setting.name,
        scope=setting.environment,
        secret=setting.secret,
        value="" if hidden else setting.value,
        version=setting.version,
        by=setting.by,
        changed=when(setting.created_at, reader.now),
        where=where(setting),
        where_href=_where_href(setting, reader),
        history_href=_history_href(setting, reader),
        badges=_badges(setting, reader.files),
        unset_action=f"{reader.place.base}/unset" if here else "",
        removed=setting.removed,
    )


def where(setting: Variable) -> str:
    """`group shop`, `whole project`, `staging`."""
    if setting.level is Level.GROUP:
        return f"group {setting.group}"
    return setting.environment or "whole project"


def _where_href(setting: Variable, reader: Reader) -> str:
    if setting.level is Level.GROUP:
        return reader.group_href
    return f"/{reader.place.project}/environments/{setting.environment}" if setting.environment else ""


def _history_href(setting: Variable, reader: Reader) -> str:
    base = reader.group_href if setting.level is Level.GROUP else f"/{reader.place.project}/settings/variables"
    scope = {"environment": setting.environment} if setting.environment else {}
    return f"{base}/history?{urlencode({'variable': setting.own_name} | scope)}" if base else ""


def _badges(setting: Variable, files: frozenset[str]) -> tuple[str, ...]:
    is_file = setting.secret and any(
        setting.name == name or (setting.name.startswith("SV_") and setting.name.endswith(f"_{name}")) for name in files
    )
    words = {"protected": setting.protected, "masked": setting.masked, "file": is_file}
    return tuple(word for word, holds in words.items() if holds)


def effective_rows(configurations: Iterable[Variables], *, masked_shown: bool) -> tuple[EffectiveRow, ...]:
    """A row for each name, with a cell for each of the environments' configurations."""
    found = [{setting.name: setting for setting in one.settings} for one in configurations]
    names = sorted({name for settings in found for name in settings})
    return tuple(EffectiveRow(name, tuple(_cell(s.get(name), masked_shown) for s in found)) for name in names)


def _cell(setting: Variable | None, masked_shown: bool) -> EffectiveCell | None:
    if setting is None:
        return None
    hidden = setting.secret or (setting.masked and not masked_shown)
    words = "secret" if setting.secret else "masked"
    source = f"{where(setting)}{_kept(setting)}, version {setting.version}"
    return EffectiveCell(words if hidden else _short(setting.value), hidden, source)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def outdated_note(found: Outdated) -> OutdatedNote:
    count, names = len(found.names), ", ".join(found.names)
    changed = "1 variable or secret" if count == 1 else f"{count} variables and secrets"
    return OutdatedNote(
        environment=found.environment.name,
        text=f"{changed} changed since deployment {found.deployment.id} on {found.environment.name}: {names}.",
        deployment=found.deployment.id,
        deployment_href=f"/{found.environment.project}/deployments/{found.deployment.id}",
        release=found.deployment.release,
        again_href=asking_href(found.environment.project, found.environment.name, found.deployment.release),
    )


def shown_branches(patterns: Iterable[str]) -> str:
    """As the form shows them."""
    return ", ".join("(default branch)" if pattern == DEFAULT_BRANCH else pattern for pattern in patterns)


def used_words(settings: Iterable[Variable]) -> Mapping[str, str]:
    """Name of what a deployment uses, to where it came from."""
    return {setting.name: f"{where(setting)}{_kept(setting)}, version {setting.version}" for setting in settings}


def _kept(setting: Variable) -> str:
    return f", as {setting.kept_as}" if setting.kept_as else ""
