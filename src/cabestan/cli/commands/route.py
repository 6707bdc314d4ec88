"""`cabestan route`."""

from typing import Annotated

import typer

from cabestan.cli.api import Thing
from cabestan.cli.completion import project_names
from cabestan.cli.options import JsonOption, LimitOption, checked_project, connect
from cabestan.cli.output import Column, field, print_heading, print_json, print_list, print_thing, tell

app = typer.Typer(help="Routes: which address leads to which service.", no_args_is_help=True)

#: of one project, or of all that one may see
OfProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project", "-p", metavar="G/N", help="Of this project; of all when not given.", autocompletion=project_names
    ),
]

_COLUMNS: tuple[Column, ...] = (
    field("project"),
    field("environment"),
    field("service"),
    field("port"),
    field("priority"),
    field("rule"),
)
_FIELDS: tuple[Column, ...] = (
    *_COLUMNS,
    field("source", "in the file"),
    field("hosts"),
    Column("on the way", lambda thing: ", ".join(step["kind"] for step in thing["middlewares"])),
)


@app.command("list")
def list_(project: OfProjectOption = None, limit: LimitOption = 200, as_json: JsonOption = False) -> None:
    """List the routes that are served now; within an environment, the higher priority first."""
    wanted = checked_project(project) if project else None
    items = connect().items("/routes", limit, project=wanted)
    print_list(items, _COLUMNS, as_json=as_json, empty="No route is served. Labels of services make routes.")


@app.command()
def match(
    url: Annotated[str, typer.Argument(metavar="URL", help="An address, such as https://example.org/path.")],
    method: Annotated[str, typer.Option("--method", metavar="NAME", help="The request's method.")] = "GET",
    as_json: JsonOption = False,
) -> None:
    """Tell which route answers a request for an address; exit code 1 where none does."""
    verdict: Thing = connect().get("/routes/match", url=url, method=method)
    if as_json:
        print_json(verdict)
    elif verdict["answers"]:
        print_thing(verdict["answers"], _FIELDS)
        if verdict["others"]:
            print_heading("Fits as well, and comes after it")
            print_list(verdict["others"], _COLUMNS, as_json=False, empty="")
    else:
        holders = f" {', '.join(verdict['holders'])} routes the host, but not this." if verdict["holders"] else ""
        tell(f"No route that you may see answers {url}.{holders}")
    if not verdict["answers"]:
        raise typer.Exit(1)
