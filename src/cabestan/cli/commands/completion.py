"""`cabestan completion`: Typer's own mechanism, as two commands."""

from typing import Annotated

import typer
from typer.completion import Shells, get_completion_script, install  # type: ignore[attr-defined]

from cabestan.cli.command_tree import COMPLETE, PROGRAM
from cabestan.cli.output import tell

app = typer.Typer(help="Completion of commands and names by the shell.", no_args_is_help=True)
ShellArgument = Annotated[Shells | None, typer.Argument(help="By default the shell that this runs in.")]


@app.command("install")
def install_(shell: ShellArgument = None) -> None:
    """Set completion up for a shell."""
    name, path = install(shell.value if shell else None, PROGRAM, COMPLETE)
    tell(f"Completion for {name} is in {path}; a new terminal has it.")


@app.command()
def show(shell: ShellArgument = None) -> None:
    """Print the script that `install` sets up."""
    wanted = shell.value if shell else detected()
    print(get_completion_script(prog_name=PROGRAM, complete_var=COMPLETE, shell=wanted))


def detected() -> str:
    """The shell around this process. Raises a usage error where there is none that is known."""
    import shellingham  # type: ignore[import-untyped]

    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure as error:
        raise typer.BadParameter("name the shell: bash, zsh or fish", param_hint="SHELL") from error
