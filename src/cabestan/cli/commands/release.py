"""`cabestan release`."""

from typing import Annotated

import typer

from cabestan.cli.api import address
from cabestan.cli.completion import release_numbers
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import (
    Column,
    commit,
    field,
    print_heading,
    print_json,
    print_line,
    print_list,
    print_thing,
    since,
)

app = typer.Typer(help="Releases: what can be deployed.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("number", "release"),
    commit(),
    field("branch"),
    field("title"),
    field("pipeline"),
    since("created_at"),
)
_FIELDS: tuple[Column, ...] = (
    field("number", "release"),
    field("project"),
    field("branch"),
    field("commit"),
    field("title"),
    field("pipeline"),
    since("created_at"),
)


@app.command("list")
def list_(project: ProjectOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List a project's releases, the newest first."""
    items = connect().items(address("projects", the_project(project), "releases"), limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No release yet: a pipeline that succeeds makes one.")


@app.command()
def show(
    number: Annotated[
        int,
        typer.Argument(metavar="RELEASE", min=1, help="Its number in the project.", autocompletion=release_numbers),
    ],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one release with the digests of its images."""
    release = connect().get(address("projects", the_project(project), "releases", number))
    if as_json:
        print_json(release)
        return
    print_thing(release, _FIELDS)
    print_heading("Images")
    for line in _image_lines(release.get("images")):
        print_line(line)


def _image_lines(images: object) -> list[str]:
    """Each on a line of its own, whether they come by name or as a list."""
    if isinstance(images, dict):
        return [f"{name}  {image}" for name, image in images.items()]
    return [
        "  ".join(str(part) for part in image.values()) if isinstance(image, dict) else str(image)
        for image in (images if isinstance(images, list) else [])
    ]
