"""Docker's own reader of stack files: the client alone, without an engine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def stack_config(path: Path, variables: Mapping[str, str], *over: Path) -> subprocess.CompletedProcess[str]:
    """What the client makes of a file, with others over it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(path.parent), "DOCKER_HOST": "tcp://127.0.0.1:1"}
    return subprocess.run(
        ["docker", "stack", "config", *(word for file in (path, *over) for word in ("-c", str(file)))],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def read_stack(path: Path, variables: Mapping[str, str], *over: Path) -> dict[str, Any]:
    """The stack as Docker understands it, all values as text."""
    result = stack_config(path, variables, *over)
    assert (result.returncode, result.stderr) == (0, "")
    document: dict[str, Any] = yaml.load(result.stdout, Loader=yaml.CBaseLoader)
    return document
