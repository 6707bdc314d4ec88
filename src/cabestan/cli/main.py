"""The command line: registers the commands, and turns every failure into words on stderr and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.main import get_command

from cabestan import __version__
from cabestan.cli import images, platform
from cabestan.cli.cells import clean
from cabestan.cli.commands import (
    alert,
    ca,
    certificate,
    completion,
    cron,
    database,
    deploy,
    deployment,
    environment,
    git_credential,
    host,
    job,
    lint,
    login,
    pipeline,
    project,
    release,
    render,
    route,
    secret,
    user,
    variable,
    waiver,
)
from cabestan.cli.failures import EXIT_FAILED, Refused, exit_code
from cabestan.errors import CabestanError

app = typer.Typer(
    help="From git push to production on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
platform.register(app)
app.add_typer(images.app, name="image")
app.command()(login.login)
app.add_typer(project.app, name="project")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(job.app, name="job")
app.add_typer(release.app, name="release")
app.command()(deploy.plan)
app.command()(deploy.deploy)
app.add_typer(deployment.app, name="deployment")
app.command()(deploy.rollback)
app.add_typer(cron.app, name="cron")
app.add_typer(environment.app, name="environment")
app.add_typer(variable.app, name="variable")
app.add_typer(secret.app, name="secret")
app.add_typer(alert.app, name="alert")
app.add_typer(database.app, name="database")
app.add_typer(waiver.app, name="waiver")
app.add_typer(route.app, name="route")
app.add_typer(host.app, name="host")
app.command()(ca.ca)
app.add_typer(certificate.app, name="certificate")
app.add_typer(user.app, name="user")
app.add_typer(user.member_app, name="member")
app.command()(lint.lint)
app.command()(render.render)
app.add_typer(completion.app, name="completion")
app.command("git-credential", hidden=True)(git_credential.git_credential)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"cabestan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Always ends by SystemExit; docs/cli.md has the exit codes."""
    _make_streams_forgiving()
    try:
        _run(arguments)
    except CabestanError as error:
        _tell(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        _flush()


def _run(arguments: Sequence[str] | None) -> None:
    if completion.VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    get_command(app)(args=arguments, prog_name=completion.PROGRAM)


def _make_streams_forgiving() -> None:
    """A character that the terminal's encoding lacks must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _flush() -> None:
    """What reads us may have gone: then stop quietly, also at the interpreter's own last flush."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def _tell(error: CabestanError) -> None:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    label = "\x1b[1;31merror:\x1b[0m" if coloured else "error:"
    lines = [f"{label} {clean(error.message)}"]
    if error.remedy:
        lines.append(f"hint: {clean(error.remedy)}")
    if isinstance(error, Refused):
        lines += [f"  {clean(_finding(detail))}" for detail in error.details]
    print("\n".join(lines), file=sys.stderr)


def _finding(detail: dict[str, Any]) -> str:
    """`compose.yml:3:5: error: message [code] remedy`, less what is not known."""
    place = ":".join(str(detail[key]) for key in ("file", "line", "column") if detail.get(key))
    code = f"[{detail['code']}]" if detail.get("code") else ""
    words = f"{detail.get('severity', 'error')}: {detail.get('message', '')}"
    remedy = str(detail.get("remedy") or "")
    return " ".join(part for part in (f"{place}:" if place else "", words, code, remedy) if part)
