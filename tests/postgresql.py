"""A private PostgreSQL cluster for the tests: made in a temporary folder, removed at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")
_OWNER = "postgres"
#: durability costs time, and nothing here outlives the tests
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a running server, without a database's name: `postgresql://postgres@127.0.0.1:PORT`."""
    folder = Path(tempfile.mkdtemp(prefix="cabestan-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _OWNER)
        _run("initdb", "--pgdata", f"{folder}/data", "--auth", "trust", "--username", _OWNER, "--no-sync")
        port = free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        options += "".join(f" -c {setting}" for setting in _SETTINGS)
        _run("pg_ctl", "--pgdata", f"{folder}/data", "--log", f"{folder}/log", "--wait", "-o", options, "start")
        try:
            yield f"postgresql://{_OWNER}@127.0.0.1:{port}"
        finally:
            _run("pg_ctl", "--pgdata", f"{folder}/data", "--wait", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(program: str, *arguments: str) -> None:
    """PostgreSQL refuses to be run by root."""
    command = [str(BINARIES / program), *arguments]
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_OWNER)
        command = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *command]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
