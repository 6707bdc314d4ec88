"""The command line: registers the commands, and turns every failure into words on stderr and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.main import get_command

from cabestan import __version__
from cabestan.cli.cells import clean
from cabestan.cli.command_tree import COMPLETE, PROGRAM, STYLE, Root
from cabestan.cli.failures import EXIT_FAILED, Refused, exit_code
from cabestan.errors import CabestanError

app = typer.Typer(
    help="From git push to production on your own machines.",
    no_args_is_help=True,
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    **STYLE,
)


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
    if COMPLETE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    get_command(app)(args=arguments, prog_name=PROGRAM)


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
