"""Variables and secrets of a group, a project and its environments, by version."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cabestan.errors import Invalid

#: `SV_<ENVIRONMENT>_<NAME>` is a secret that reaches this environment alone, as NAME
ENVIRONMENT_SECRET = "SV_"  # noqa: S105 (the beginning of a name)
#: variables of a pipeline that begin so travel with its release
TRAVELLING = "X_"
#: a shorter value would hide innocent text wherever it stands in a log (characters)
SHORTEST_MASKED = 8


class Level(StrEnum):
    """Where a variable or a secret is set, from far to near: the nearest wins."""

    #: for all projects of a group
    GROUP = "group"
    #: for all environments of a project
    PROJECT = "project"
    #: for one environment
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Variable:
    """One version of a variable or a secret. `environment` is empty for the whole project.

    Of a group's, `project_id` is None and `group` the name. The `value` of a secret is never here: it is in the
    vault, by the setting's id.
    """

    id: int
    project_id: int | None
    environment: str
    name: str
    version: int
    secret: bool
    value: str
    by: str
    created_at: datetime
    group: str = ""
    #: only what comes from a protected branch gets it
    protected: bool = False
    #: its value is kept out of job logs
    masked: bool = False
    #: this version ended the name
    removed: bool = False
    #: the name that it is kept under, where `name` is the one that an application sees
    kept_as: str = ""

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)

    @property
    def level(self) -> Level:
        if self.project_id is None:
            return Level.GROUP
        return Level.ENVIRONMENT if self.environment else Level.PROJECT

    @property
    def own_name(self) -> str:
        """The name under which it can be changed."""
        return self.kept_as or self.name


@dataclass(frozen=True)
class Variables:
    """What a deployment is configured with: the nearest version of each name, and what its pipeline was given."""

    settings: tuple[Variable, ...]
    #: variables that came with the release
    given: Mapping[str, str] = field(default_factory=dict)
    #: names of protected ones that the release's branch does not get
    withheld: tuple[str, ...] = ()
    #: whether the release's branch is a protected one
    protected: bool = True

    @property
    def versions(self) -> dict[str, int]:
        """Name to the id of the version: what an approval binds to."""
        return {setting.name: setting.id for setting in self.settings if setting.name not in self._taken}

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings if setting.secret)

    @property
    def variables(self) -> dict[str, str]:
        set_ = {setting.name: setting.value for setting in self.settings if not setting.secret}
        return set_ | {name: self.given[name] for name in self._taken}

    @property
    def ignored(self) -> tuple[str, ...]:
        """Variables that the pipeline was given and that may not take the place of what is set here."""
        return tuple(sorted(self.given.keys() - self._taken))

    @property
    def _taken(self) -> frozenset[str]:
        """Who may run a pipeline must not thereby change what only maintainers may set for protected branches."""
        kept = {setting.name for setting in self.settings if setting.secret or setting.protected}
        return frozenset(self.given.keys() - kept)


def nearest(
    settings: Iterable[Variable], environment: str, environments: Iterable[str] = (), *, protected: bool = True
) -> Variables:
    """The environment's own value of a name wins over the project's, and that over the group's.

    `environments` are all of the project's, to tell whose `SV_A_B_NAME` is; `protected`: the branch is.
    """
    known = frozenset((environment, *environments))
    chosen: dict[str, Variable] = {}
    withheld: set[str] = set()
    for setting in sorted(settings, key=_nearness):
        reaching = _reaching(setting, environment, known)
        if reaching and reaching.protected and not protected:
            withheld.add(reaching.name)
        elif reaching:
            chosen[reaching.name] = reaching
    found = tuple(chosen[name] for name in sorted(chosen))
    return Variables(found, withheld=tuple(sorted(withheld)), protected=protected)


def for_jobs(settings: Iterable[Variable], given: Mapping[str, str], *, protected: bool) -> dict[str, str]:
    """The variables that jobs of a pipeline get: the group's and the project's, and no secret.

    What the pipeline was `given` takes their place, but for protected ones, as in a deployment.
    """
    apt = [s for s in settings if not s.secret and not s.environment and (protected or not s.protected)]
    nearest_ones = {setting.name: setting for setting in sorted(apt, key=_nearness)}
    kept = {name for name, setting in nearest_ones.items() if setting.protected}
    values = {name: setting.value for name, setting in nearest_ones.items()}
    return values | {name: value for name, value in given.items() if name not in kept}


def travelling(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of a pipeline's variables that its release takes along."""
    return {name: value for name, value in variables.items() if name.startswith(TRAVELLING)}


def environment_token(environment: str) -> str:
    """An environment's name as it stands in `SV_<ENVIRONMENT>_<NAME>`: `review/a-b` is `REVIEW_A_B`."""
    return re.sub(r"[^A-Z0-9]", "_", environment.upper())


def aim(name: str, environments: Iterable[str]) -> tuple[frozenset[str], str]:
    """Which of the environments an `SV_…` reaches, and as what; none where its name fits no environment.

    The longest name that fits wins, so that `SV_A_B_KEY` is not also a secret `B_KEY` of the environment `a`.
    """
    rest = name.removeprefix(ENVIRONMENT_SECRET)
    fitting = {env: token for env in environments if rest.startswith(f"{(token := environment_token(env))}_")}
    longest = max(map(len, fitting.values()), default=0)
    reached = frozenset(env for env, token in fitting.items() if len(token) == longest)
    inner = rest[longest + 1 :] if reached else ""
    return (reached, inner) if inner and not inner[0].isdigit() else (frozenset(), "")


def changed_names(before: Mapping[str, int], now: Variables) -> tuple[str, ...]:
    """What has another version (or is there no more, or newly there) than in a deployment with these versions."""
    after = now.versions
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def check_maskable(name: str, value: str) -> None:
    """Raises Invalid for a value that cannot be masked in a log without hiding other text."""
    if len(value) < SHORTEST_MASKED or "\n" in value or "\r" in value:
        raise Invalid(
            f"The value of {name} cannot be masked.",
            f"A masked value has one line of at least {SHORTEST_MASKED} characters.",
        )


def fingerprint(*parts: object) -> str:
    """A short hash of what an approval binds to. The parts must be made of plain JSON values."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


_LEVELS = tuple(Level)


def _nearness(setting: Variable) -> tuple[int, bool]:
    """Within a level, what names the environment is nearer than what does not."""
    return _LEVELS.index(setting.level), setting.name.startswith(ENVIRONMENT_SECRET)


def _reaching(setting: Variable, environment: str, environments: frozenset[str]) -> Variable | None:
    """The setting as this environment has it, or None where it does not reach it."""
    if setting.environment not in ("", environment):
        return None
    if not setting.name.startswith(ENVIRONMENT_SECRET):
        return setting
    reached, inner = aim(setting.name, environments)
    return setting.evolve(name=inner, kept_as=setting.name) if environment in reached else None
