"""Variables and secrets of a project and its environments, by version."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Setting:
    """One version of a variable or a secret. `environment` is empty for the whole project.

    `value` of a secret is never here: it is in the vault, by the setting's id.
    """

    id: int
    project_id: int
    environment: str
    name: str
    version: int
    secret: bool
    value: str
    by: str
    created_at: datetime


@dataclass(frozen=True)
class Configuration:
    """What a deployment is configured with: the nearest version of each name."""

    settings: tuple[Setting, ...]

    @property
    def versions(self) -> dict[str, int]:
        """Name to the id of the version: what an approval binds to."""
        return {setting.name: setting.id for setting in self.settings}

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings if setting.secret)

    @property
    def variables(self) -> dict[str, str]:
        return {setting.name: setting.value for setting in self.settings if not setting.secret}


def nearest(settings: Iterable[Setting], environment: str) -> Configuration:
    """The environment's own value of a name wins over the project's."""
    chosen: dict[str, Setting] = {}
    for setting in sorted(settings, key=lambda s: s.environment != ""):
        if setting.environment in ("", environment):
            chosen[setting.name] = setting
    return Configuration(tuple(chosen[name] for name in sorted(chosen)))


def fingerprint(*parts: object) -> str:
    """A short hash of what an approval binds to. The parts must be made of plain JSON values."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
