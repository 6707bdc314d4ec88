"""`cabestan user` and `cabestan member`."""

import sys
from enum import StrEnum
from getpass import getpass
from typing import Annotated

import typer

from cabestan.cli import deleting
from cabestan.cli.api import address
from cabestan.cli.cells import one_line
from cabestan.cli.completion import user_names
from cabestan.cli.options import ConfirmOption, JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, at_a_terminal, field, print_json, print_line, print_list, tell

app = typer.Typer(help="Users, for administrators.", no_args_is_help=True)
member_app = typer.Typer(help="Who may do what in a project.", no_args_is_help=True)

UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.", autocompletion=user_names)]
MemberArgument = Annotated[str, typer.Argument(metavar="USER", help="The user's name.", autocompletion=user_names)]
_COLUMNS: tuple[Column, ...] = (
    field("name"),
    field("admin", "administrator"),
    Column(
        "roles", lambda user: one_line([f"{project}: {role}" for project, role in (user.get("roles") or {}).items()])
    ),
)


GroupOption = Annotated[
    str | None, typer.Option("--group", metavar="GROUP", help="All projects of this group, instead of one.")
]
_MEMBERS: tuple[Column, ...] = (field("user"), field("role"), field("scope", "in"))


class Role(StrEnum):
    """What a user may do in a project."""

    REPORTER = "reporter"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"
    NONE = "none"


@app.command("list")
def list_(limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the users."""
    print_list(connect().items("/users", limit), _COLUMNS, as_json=as_json, empty="No user.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")],
    admin: Annotated[bool, typer.Option("--admin", help="An administrator, who may do everything.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a user; the token is printed, this once."""
    user = connect().post("/users", {"name": name, "admin": admin})
    if as_json:
        print_json(user)
        return
    tell(f"Made {user['name']}. This is the token; it is not shown again:")
    print_line(str(user["token"]))


@app.command()
def delete(name: UserArgument, confirm: ConfirmOption = None) -> None:
    """Delete a user with tokens, sessions and roles; what was done stays on record."""
    connect().delete(address("users", name), confirm=deleting.confirmed(name, confirm, []))
    tell(f"Deleted the user {name}.")


@app.command()
def password(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Whose, for administrators; yours if not given.")
    ] = None,
) -> None:
    """Set a password, for signing in with a browser; it is asked for, or read from stdin."""
    if name is not None:
        connect().put(address("users", name, "password"), {"password": _word("New password")})
        tell(f"Set the password of {name}; {name} is signed out everywhere.")
        return
    current = _word("Present password, or a token") if at_a_terminal() else sys.stdin.readline().strip()
    connect().put("/user/password", {"current": current, "password": _word("New password")})
    tell("Set your password; other browsers are signed out.")


def _word(what: str) -> str:
    """Not shown at a terminal; a line of stdin otherwise."""
    return getpass(f"{what}: ") if at_a_terminal() else sys.stdin.readline().strip()


@member_app.command("list")
def list_members(
    project: ProjectOption = None, group: GroupOption = None, limit: LimitOption = 200, as_json: JsonOption = False
) -> None:
    """List who has which role in a project, or in a group."""
    items = connect().items(f"{_place(project, group)[1]}/members", limit)
    print_list(items, _MEMBERS, as_json=as_json, empty="Nobody but administrators.")


@member_app.command("set")
def set_member(
    user: MemberArgument,
    role: Annotated[Role, typer.Argument(help="`none` takes the user out.")],
    project: ProjectOption = None,
    group: GroupOption = None,
) -> None:
    """Give a user a role in a project, or in all projects of a group."""
    name, place = _place(project, group)
    body = {"role": None if role is Role.NONE else role.value}
    connect().put(f"{place}{address('members', user)}", body)
    tell(f"{user} is no member of {name}." if role is Role.NONE else f"{user} is {role.value} of {name}.")


def _place(project: str | None, group: str | None) -> tuple[str, str]:
    """Its name and its address."""
    if group is not None:
        return f"the group {group}", address("groups", group)
    name = the_project(project)
    return name, address("projects", name)
