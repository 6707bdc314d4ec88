"""The Git clone that a command is run in, and the clones that it makes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cabestan.cli import client_config
from cabestan.cli.failures import Unable, Unsuccessful

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_COMMIT = re.compile("[0-9a-f]{7,64}")
_PORTS = {"http": 80, "https": 443}


def project_of_clone(server: str) -> str | None:
    """The project that the current folder is a clone of, by the remotes that lead to the server; `origin` first."""
    remotes = sorted(_remotes(), key=lambda remote: remote[0] != "origin")
    found = (project_of_remote(url, server) for _, url in remotes)
    return next((project for project in found if project), None)


def commit_here(ref: str | None) -> tuple[str, str]:
    """The commit that a ref of the current clone means, and the branch that it is looked for on. Raises Unable.

    The beginning of a commit's id that is not here is taken as it is.
    """
    wanted = ref or "HEAD"
    commit = _said(["git", "rev-parse", "--quiet", "--verify", "--end-of-options", f"{wanted}^{{commit}}"])
    if not commit and _COMMIT.fullmatch(wanted):
        commit = wanted
    if not commit:
        raise Unable(
            f"There is no commit {wanted} here.",
            "Run this in a clone of the project, with a branch, tag or commit of it, or name a pipeline by its number.",
        )
    branch = wanted.removeprefix("refs/heads/") if ref else _said(["git", "symbolic-ref", "--quiet", "--short", "HEAD"])
    return commit, branch


def project_of_remote(remote: str, server: str) -> str | None:
    """`G/N` out of a remote's address, if it leads to the server."""
    try:
        if not same_server(remote, server):
            return None
    except ValueError:
        return None
    parts = urlsplit(remote).path.removesuffix("/").removesuffix(".git").split("/")
    return "/".join(parts[-2:]) if len(parts) > 2 and all(parts[-2:]) else None


def same_server(one: str, other: str) -> bool:
    """Whether both addresses have the same scheme, host and port. Raises ValueError for a malformed port."""
    return _origin(one) == _origin(other)


def reached_by(address: str, server: str) -> str:
    """The address at the host by which the server is reached from here, whatever it takes itself for."""
    scheme, host, *_ = urlsplit(server)
    return urlunsplit((scheme, host, urlsplit(address).path, "", ""))


def clone_command(url: str, folder: str, default_branch: str, helper: str) -> list[str]:
    """`git clone` into a repository whose own configuration names the helper for this server, and no other one.

    The empty helper first forgets those of the user's configuration: they would ask, or store the token.
    """
    server = urlunsplit((*urlsplit(url)[:2], "", "", ""))
    key = f"credential.{server}.helper"
    return [
        *("git", "-c", f"init.defaultBranch={default_branch}", "clone"),
        *("--config", f"{key}=", "--config", f"{key}={helper}", "--", url, folder),
    ]


def credential_helper() -> str:
    """What git shall run in its shell to get the token: this very command line, by its absolute path."""
    command = shlex.join([*_own_command(), "git-credential"])
    named = os.environ.get(client_config.FILE_VARIABLE)
    return (
        f"!{client_config.FILE_VARIABLE}={shlex.quote(str(Path(named).absolute()))} {command}"
        if named
        else f"!{command}"
    )


def run_clone(command: list[str]) -> None:
    """Git's own words go to stderr. It never asks for a password: the helper answers, or the clone fails."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), env=environment, check=False
        )
    except FileNotFoundError as error:
        raise Unsuccessful("There is no git on this machine.", "Install it: apt install git") from error
    if done.returncode:
        raise Unsuccessful(f"git clone failed with code {done.returncode}.", "Git says why, above.")


def _own_command() -> list[str]:
    program = Path(sys.argv[0])
    if program.name != "__main__.py" and program.is_file() and os.access(program, os.X_OK):
        return [str(program.absolute())]
    return [sys.executable, "-m", "cabestan"]


def _remotes() -> Iterable[tuple[str, str]]:
    """Name and address of each remote of the current clone; none outside of one."""
    for line in _said(["git", "config", "--get-regexp", r"^remote\..*\.url$"]).splitlines():
        key, _, url = line.partition(" ")
        yield key.removeprefix("remote.").removesuffix(".url"), url


def _said(command: list[str]) -> str:
    """What Git says; nothing where there is none, or no clone."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    host = parts.hostname or ""
    return parts.scheme, "localhost" if host in _LOOPBACK else host, parts.port or _PORTS.get(parts.scheme)
