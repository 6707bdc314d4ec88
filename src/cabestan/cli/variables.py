"""Variables and secrets, whose commands are the same but for what sets one: where, with which flags, what follows."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.completion import environment_names
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_json, print_list, since, tell
from cabestan.errors import CabestanError

#: one environment's, or the whole project's
ScopeOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="ENV",
        help="Of this environment; of the whole project when not given.",
        autocompletion=environment_names,
    ),
]
GroupOption = Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Of all projects of this group.")]
ProtectedOption = Annotated[
    bool | None,
    typer.Option("--protected/--no-protected", help="Only for what comes from protected branches. Else as it was."),
]
MaskedOption = Annotated[
    bool | None,
    typer.Option("--masked/--no-masked", help="Keep its value out of job logs. Else as it was."),
]
EffectiveOption = Annotated[
    bool, typer.Option("--effective", help="What the environment gets, whatever level it comes from.")
]

#: more than a project has
_MOST = 10_000


def flags(thing: Thing) -> str:
    """`protected, masked`."""
    return ", ".join(word for word in ("protected", "masked") if thing.get(word))


def source(thing: Thing) -> str:
    """Where it is set: `group shop`, `project`, `environment staging`, with the name that it is kept under."""
    level = str(thing.get("level") or ("environment" if thing.get("environment") else "project"))
    which = {"group": thing.get("group"), "environment": thing.get("environment")}.get(level)
    kept = thing.get("kept_as")
    words = f"{level} {which}" if which else level
    return f"{words}, as {kept}" if kept and kept != thing.get("name") else words


def shown_value(thing: Thing) -> str:
    if thing.get("secret"):
        return "(secret)"
    return "(masked)" if thing.get("value") is None else str(thing["value"])


SOURCE = Column("set in", source)
FLAGS = Column("flags", flags)
VALUE = Column("value", lambda thing: field("value").words({"value": shown_value(thing)}))
LAST: tuple[Column, ...] = (field("version"), field("by"), since("created_at", "set"))
_HISTORY: tuple[Column, ...] = (
    field("version"),
    Column("value", lambda thing: "(removed)" if thing.get("removed") else VALUE.words(thing)),
    FLAGS,
    field("by"),
    since("created_at", "set"),
)
_EFFECTIVE: tuple[Column, ...] = (field("name"), VALUE, SOURCE, FLAGS, *LAST)


@dataclass(frozen=True)
class Noun:
    """Variables, or secrets. The words are those of the help: `one` with its article, what a list shows, or lacks."""

    several: str
    one: str
    listed: str
    none: str
    columns: tuple[Column, ...]
    #: what is shown with `--effective`: secrets alone, or all
    secret: bool | None


VARIABLES = Noun(
    "variables",
    one="a variable",
    listed="List the variables with their values.",
    none="No variable. Set one: cabestan variable set NAME=VALUE",
    columns=(field("name"), VALUE, SOURCE, FLAGS, *LAST),
    secret=None,
)
SECRETS = Noun(
    "secrets",
    one="a secret, without the values",
    listed="List the secrets, without their values.",
    none="No secret. Set one: cabestan secret set NAME",
    columns=(field("name"), SOURCE, FLAGS, *LAST),
    secret=True,
)


@dataclass(frozen=True)
class Place:
    """Where names are set."""

    noun: Noun
    project: str
    environment: str | None = None
    group: str | None = None

    @classmethod
    def of(cls, noun: Noun, project: str | None, environment: str | None, group: str | None) -> "Place":
        if group is None:
            return cls(noun, the_project(project), environment)
        if project is not None or environment is not None:
            raise typer.BadParameter("a group's has neither project nor environment", param_hint="--group")
        return cls(noun, "", None, group)

    @property
    def path(self) -> str:
        where = address("groups", self.group) if self.group else address("projects", self.project)
        return where + address(self.noun.several)

    def put(self, api: Api, name: str, value: str, protected: bool | None, masked: bool | None) -> None:
        given = {"environment": self.environment or None, "protected": protected, "masked": masked}
        body = {key: kept for key, kept in given.items() if kept is not None}
        api.put(self.path + address(name), {"value": value, **body})

    def delete(self, api: Api, name: str) -> None:
        api.delete(self.path + address(name), environment=self.environment)

    def tell_set(self, api: Api, names: list[str], *, as_json: bool) -> None:
        """What was set; as JSON, as it is there now, for setting answers nothing."""
        if not as_json:
            tell(f"Set {', '.join(names)}.")
            self.offer(api, names)
            return
        there = api.items(self.path, _MOST, environment=self.environment)
        own = {"environment": self.environment or "", "group": self.group or ""}
        print_json([t for t in there if t["name"] in names and all(t.get(k, v) == v for k, v in own.items())])

    def tell_unset(self, api: Api, names: list[str]) -> None:
        tell(f"Unset {', '.join(names)}.")
        self.offer(api, names)

    def offer(self, api: Api, names: list[str]) -> None:
        """The commands that bring a change to what runs without it; what was asked for is done either way."""
        where = address("groups", self.group) if self.group else address("projects", self.project)
        found_there: list[Thing] = []
        with suppress(CabestanError):
            found_there = api.items(where + address("environments"), _MOST)
        for found in found_there:
            changed = found.get("changed_variables") or []
            if changed and found.get("release") and any(_concerns(name, changed) for name in names):
                tell(f"{found['project']} runs on {found['name']} without it; to deploy the same release again:")
                tell(f"  cabestan deploy {found['release']} -e {found['name']} -p {found['project']}")

    def print_history(self, api: Api, name: str, limit: int, *, as_json: bool) -> None:
        items = api.items(self.path + address(name, "history"), limit, environment=self.environment)
        print_list(items, _HISTORY, as_json=as_json, empty="No version.")


def add_list(app: typer.Typer, noun: Noun) -> None:
    @app.command("list", help=noun.listed)
    def list_(
        project: ProjectOption = None,
        environment: ScopeOption = None,
        group: GroupOption = None,
        effective: EffectiveOption = False,
        limit: LimitOption = 50,
        as_json: JsonOption = False,
    ) -> None:
        if effective:
            _print_effective(connect(), the_project(project), environment, limit, noun, as_json=as_json)
            return
        place = Place.of(noun, project, environment, group)
        items = connect().items(place.path, limit, environment=environment)
        print_list(items, noun.columns, as_json=as_json, empty=noun.none)


def add_unset_and_history(app: typer.Typer, noun: Noun) -> None:
    @app.command(help=f"Take {noun.several} away; the next deployment has them no more.")
    def unset(
        names: Annotated[list[str], typer.Argument(metavar="NAME", help="One or more.")],
        project: ProjectOption = None,
        environment: ScopeOption = None,
        group: GroupOption = None,
    ) -> None:
        place, api = Place.of(noun, project, environment, group), connect()
        for name in names:
            place.delete(api, name)
        place.tell_unset(api, names)

    @app.command(help=f"Every version of {noun.one}, the newest first.")
    def history(
        name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
        project: ProjectOption = None,
        environment: ScopeOption = None,
        group: GroupOption = None,
        limit: LimitOption = 50,
        as_json: JsonOption = False,
    ) -> None:
        Place.of(noun, project, environment, group).print_history(connect(), name, limit, as_json=as_json)


def _print_effective(api: Api, project: str, environment: str | None, limit: int, noun: Noun, *, as_json: bool) -> None:
    if environment is None:
        raise typer.BadParameter("name the environment with -e ENV", param_hint="--effective")
    items = api.items(address("projects", project, "environments", environment, "variables"), limit)
    chosen = [item for item in items if noun.secret in (None, bool(item.get("secret")))]
    print_list(chosen, _EFFECTIVE, as_json=as_json, empty="Nothing is set for this environment.")


def _concerns(name: str, changed: list[str]) -> bool:
    """`SV_STAGING_KEY` is told as `KEY`."""
    return name in changed or any(name.startswith("SV_") and name.endswith(f"_{inner}") for inner in changed)
