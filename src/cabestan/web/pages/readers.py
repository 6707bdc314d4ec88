"""What is shown of variables and secrets, to whom, and in which words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cabestan.domain.variable import Level, Variable, Variables

#: characters of a value in the overview
_LONGEST = 120


@dataclass(frozen=True)
class Reader:
    """Who looks at a page of variables, below the address `base`: a group's page where `project` is empty.

    `files` are the names that services get as files; `group_href` is the group's own page, empty for those who may
    not see it.
    """

    base: str
    may_configure: bool
    project: str = ""
    group: str = ""
    files: frozenset[str] = frozenset()
    group_href: str = ""

    def where(self, setting: Variable) -> str:
        return where(setting)

    def shown(self, settings: Iterable[Variable]) -> tuple[Variable, ...]:
        """Without the values that this reader may not see: those get no further than this."""
        return tuple(s.evolve(value="") if hidden(s, masked_shown=self.may_configure) else s for s in settings)

    def where_href(self, setting: Variable) -> str:
        """Where it can be changed."""
        if setting.level is Level.GROUP:
            return self.group_href
        return f"/{self.project}/environments/{setting.environment}" if setting.environment else ""

    def history_href(self, setting: Variable) -> str:
        base = self.group_href if setting.level is Level.GROUP else f"/{self.project}/settings/variables"
        scope = {"environment": setting.environment} if setting.environment else {}
        return f"{base}/history?{urlencode({'variable': setting.own_name} | scope)}" if base else ""

    def may_unset(self, setting: Variable) -> bool:
        """Here: what belongs to the group is taken away on its own page."""
        return self.group == setting.group and self.may_configure

    def badges(self, setting: Variable) -> tuple[str, ...]:
        is_file = setting.secret and any(
            setting.name == name or (setting.name.startswith("SV_") and setting.name.endswith(f"_{name}"))
            for name in self.files
        )
        words = {"protected": setting.protected, "masked": setting.masked, "file": is_file}
        return tuple(word for word, holds in words.items() if holds)


@dataclass(frozen=True)
class Effective:
    """What one environment gets of a name: its value, or, where that is hidden, what it is."""

    text: str
    hidden: bool
    source: str


def hidden(setting: Variable, *, masked_shown: bool) -> bool:
    return setting.secret or (setting.masked and not masked_shown)


def where(setting: Variable) -> str:
    """`group shop`, `whole project`, `staging`."""
    if setting.level is Level.GROUP:
        return f"group {setting.group}"
    return setting.environment or "whole project"


def effective_rows(
    configurations: Iterable[Variables], *, masked_shown: bool
) -> Mapping[str, tuple[Effective | None, ...]]:
    """Each name, with what each of the environments' configurations has of it."""
    found = [{setting.name: setting for setting in one.settings} for one in configurations]
    names = sorted({name for settings in found for name in settings})
    return {name: tuple(_effective(s.get(name), masked_shown) for s in found) for name in names}


def _effective(setting: Variable | None, masked_shown: bool) -> Effective | None:
    if setting is None:
        return None
    if hidden(setting, masked_shown=masked_shown):
        return Effective("secret" if setting.secret else "masked", True, source(setting))
    return Effective(_short(setting.value), False, source(setting))


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def source(setting: Variable) -> str:
    """`group shop, as SV_STAGING_KEY, version 3`."""
    kept = f", as {setting.kept_as}" if setting.kept_as else ""
    return f"{where(setting)}{kept}, version {setting.version}"


def used(settings: Iterable[Variable]) -> Mapping[str, str]:
    """Name of what a deployment uses, to where it came from."""
    return {setting.name: source(setting) for setting in settings}
