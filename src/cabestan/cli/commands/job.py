"""`cabestan job`."""

import typer

from cabestan.cli import follow as logs
from cabestan.cli.api import Thing, address
from cabestan.cli.failures import EXIT_FAILED
from cabestan.cli.options import FollowOption, FromLineOption, JsonOption, NumberArgument, connect
from cabestan.cli.output import Column, at_a_terminal, field, print_thing, run_time, since, status, tell
from cabestan.cli.reasons import print_reason, tell_reason

app = typer.Typer(help="Jobs and their logs.", no_args_is_help=True)

_FIELDS: tuple[Column, ...] = (
    field("id", "job"),
    field("name"),
    field("project"),
    field("pipeline"),
    field("stage"),
    field("kind"),
    status(),
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
    if not as_json:
        print_reason(job)
    print_thing(job, _FIELDS, as_json=as_json)


@app.command()
def log(
    number: NumberArgument,
    follow: FollowOption = False,
    from_line: FromLineOption = 1,
) -> None:
    """Write a job's log to stdout, byte by byte as the job wrote it."""
    api = connect()
    if at_a_terminal() and not follow:
        _tell_why(api.get(address("jobs", number)))
    status_at_end = logs.show(api, number, "jobs", from_line=from_line, live=follow)
    if follow and not logs.ended_well(status_at_end):
        tell(f"Job {number} {status_at_end}.")
        raise typer.Exit(EXIT_FAILED)


def _tell_why(job: Thing) -> None:
    if job["status"] == "failed" and job.get("reason"):
        tell_reason(job)
