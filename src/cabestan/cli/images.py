"""`cabestan image`: the base images of this machine. Works on the machine, like `up`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cabestan.cli.options import JsonOption
from cabestan.cli.output import Column, field, print_list, tell

app = typer.Typer(help="Base images, on this machine.", no_args_is_help=True)

_MEGABYTE = 1_000_000


def _size(entry: Mapping[str, Any]) -> str:
    return f"{entry['size'] / _MEGABYTE:.0f} MB" if entry["size"] else ""


_COLUMNS = (field("reference", "image"), field("base"), field("state"), Column("size", _size))


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List what a Dockerfile can begin with, and what of it is built. The others are built when they are needed."""
    from cabestan.cli.preparing import base_image_entries
    from cabestan.config import read_settings

    print_list(base_image_entries(read_settings()), _COLUMNS, as_json=as_json, empty="No base image.")


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="By default: all of them.")] = None,
) -> None:
    """Build base images that are missing or out of date, now instead of when a project needs them."""
    from cabestan.cli.preparing import build_base_images
    from cabestan.config import read_settings

    built = build_base_images(read_settings(), names or None)
    tell(f"Built {', '.join(built)}." if built else "All of them are there.")
