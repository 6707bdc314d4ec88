"""How the `git` command runs: with bounds, with less of the processor than the server, and without its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

#: a file above it is stored and read piece by piece, and never compared with others: Git takes no more memory for it
_BIG_FILE = "8m"
#: whatever a repository or a user has configured, and whatever a pushed name may look like
SETTINGS: Mapping[str, str] = {
    "safe.directory": "*",
    "core.quotePath": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.bigFileThreshold": _BIG_FILE,
    "core.deltaBaseCacheLimit": "32m",
    "pack.threads": "1",
    "pack.windowMemory": "64m",
    "pack.deltaCacheSize": "32m",
    "protocol.allow": "never",
}


@dataclass(frozen=True)
class Limits:
    """Of each process: seconds of the processor's time, bytes of memory that it alone has."""

    processor_seconds: int = 120
    memory_bytes: int = 256 * 1024 * 1024


def environment() -> dict[str, str]:
    """All that Git gets to see. A ref below refs/replace would have it show another commit in the place of one."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Git's configuration as variables, which the commands that Git itself starts get too."""
    keys = {f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(settings)}
    values = {f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(settings.values())}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **keys, **values}


def command(*arguments: str, limits: Limits) -> tuple[str, ...]:
    """What comes from others never stands among the arguments but behind `--end-of-options`, or as a hash."""
    seconds = limits.processor_seconds
    bounds = (f"--cpu={seconds}:{seconds + 5}", f"--data={limits.memory_bytes}", "--core=0")
    return ("nice", "-n", "5", "prlimit", *bounds, "git", *arguments)
