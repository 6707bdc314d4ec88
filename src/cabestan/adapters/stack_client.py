"""The `docker` client that hands a stack over: its words, and its answer."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence

#: newer clients say it of themselves with each stack
_CLIENTS_NOTICE = "--detach=false"


def deploy_command(engine: str, stack: str, *, prune: bool) -> list[str]:
    """`docker stack deploy`, the file on its standard input. Images bear digests, so that none is looked up.

    Nodes pull with the login that the client has. `prune`: services that the file does not have go.
    """
    deploy = ["docker", "--host", engine, "stack", "deploy", *(["--prune"] if prune else [])]
    return [*deploy, "--resolve-image", "never", "--with-registry-auth", "-c", "-", stack]


def refusal(command: Sequence[str], document: str, deadline: float, environment: Mapping[str, str], lock: int) -> str:
    """The client's words where Swarm did not take the stack; empty where it did. Raises subprocess.TimeoutExpired.

    The file has no name and is whole before the client reads it: one that was cut short, because this process was
    killed, would be taken for a smaller stack.
    """
    with open(os.memfd_create("stack"), "w+b") as file:
        file.write(document.encode())
        file.seek(0)
        done = subprocess.run(
            command,
            stdin=file,
            capture_output=True,
            timeout=deadline - time.monotonic(),
            env=environment,
            pass_fds=(lock,),
            check=False,
        )
    if not done.returncode:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    words = "\n".join(line for line in lines if _CLIENTS_NOTICE not in line)
    return words or f"`docker stack deploy` ended with {done.returncode}"
