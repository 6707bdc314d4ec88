"""How long the command line takes to start: the processor's time, which a busy machine stretches least."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median

from bench import projects
from bench.figures import Figure
from bench.instance import Instance

ROUNDS = 15
LIMIT = 0.25
_COMMAND = ("-m", "cabestan", "project", "list")
_NOTHING = ("-c", "pass")


def measure(instance: Instance) -> list[Figure]:
    """A list of one project, as a person sees it; and in turns with it what Python alone takes."""
    projects.create(instance.api, "bench/start")
    environment = os.environ | {"CABESTAN_URL": instance.url, "CABESTAN_TOKEN": instance.token}
    ours, bare = [], []
    processor_seconds(_COMMAND, environment)
    for _ in range(ROUNDS):
        ours.append(processor_seconds(_COMMAND, environment))
        bare.append(processor_seconds(_NOTHING, environment))
    note = (
        f"user and system, median of {ROUNDS}, {min(ours):.3f}–{max(ours):.3f}; `python -c pass` {median(bare):.3f} s"
    )
    return [Figure("start of `cabestan project list`", median(ours), "s", limit=LIMIT, note=note)]


def processor_seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """Of Python with these arguments, from its start to its end. Raises RuntimeError where it fails."""
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with code {process.returncode}")
    return usage.ru_utime + usage.ru_stime
