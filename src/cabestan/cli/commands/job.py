"""`cabestan job`."""

import sys
from typing import Annotated

import typer

from cabestan.cli import follow as logs
from cabestan.cli.api import address
from cabestan.cli.failures import EXIT_FAILED
from cabestan.cli.options import JsonOption, NumberArgument, connect
from cabestan.cli.output import Column, field, print_json, print_thing, run_time, since, status, tell

app = typer.Typer(help="Jobs and their logs.", no_args_is_help=True)

_FIELDS: tuple[Column, ...] = (
    field("id", "job"),
    field("name"),
    field("project"),
    field("pipeline"),
    field("stage"),
    field("kind"),
    status(),
    field("reason"),
    field("attempt"),
    field("needs"),
    since("started_at"),
    run_time(),
    field("url", "page"),
)


@app.command()
def show(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Show one job."""
    job = connect().get(address("jobs", number))
    if as_json:
        print_json(job)
    else:
        print_thing(job, _FIELDS)


@app.command()
def log(
    number: NumberArgument,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until the job ends; its status is the exit code.")
    ] = False,
    from_line: Annotated[
        int, typer.Option("--from-line", min=1, metavar="N", help="Begin at this line; they count from 1.")
    ] = 1,
) -> None:
    """Write a job's log to stdout, byte by byte as the job wrote it."""
    api = connect()
    offset = logs.line_offset(api, number, from_line)
    if not follow:
        logs.download(api, number, offset, _write)
        return
    status_at_end = logs.LogFollower(api, number, offset, _write).run()
    if not logs.ended_well(status_at_end):
        tell(f"Job {number} {status_at_end}.")
        raise typer.Exit(EXIT_FAILED)


def _write(block: bytes) -> None:
    if block:
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
