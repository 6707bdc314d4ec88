"""`bin/bench`: runs the measures, prints the table, writes the JSON."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from bench.figures import Figure
from bench.instance import Instance
from bench.rows import (
    arrival,
    builds,
    compose_files,
    deploying,
    fairness,
    followers,
    home,
    journal,
    journal_search,
    lines,
    lists,
    memory,
    readers,
    replicas,
    schedules,
    start,
    trigger,
    updates,
)
from bench.table import show
from bench.time_limits import TooLate, deadline

#: name for `--only`, what measures, how long it may take (seconds)
ROWS: dict[str, tuple[Callable[[Instance], list[Figure]], float]] = {
    "compose-files": (compose_files.measure, 60),
    "trigger": (trigger.measure, 120),
    "builds": (builds.measure, 300),
    "push": (arrival.measure, 420),
    "deploying": (deploying.measure, 300),
    "fairness": (fairness.measure, 420),
    "lines": (lines.measure, 360),
    "followers": (followers.measure, 90),
    "journal": (journal.measure, 420),
    "journal-search": (journal_search.measure, 420),
    "lists": (lists.measure, 180),
    "home": (home.measure, 240),
    "readers": (readers.measure, 120),
    "updates": (updates.measure, 240),
    "replicas": (replicas.measure, 300),
    "memory": (memory.measure, 120),
    "schedules": (schedules.measure, 480),
    "start": (start.measure, 60),
}
_PREPARE_SECONDS = 900
_INTERRUPTED = 130
_PLAIN_WIDTH = 120


def main() -> int:
    """0 also where a limit does not hold: the table says so."""
    given = _arguments()
    console, progress = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH), Console(stderr=True)
    figures: list[Figure] = []
    signal.signal(signal.SIGTERM, _interrupt)
    instance = Instance(f"bench{os.getpid() % 100_000}", containers=True)
    try:
        _prepare(instance, progress)
        for name in given.only or ROWS:
            figures += _measured(name, instance, progress)
    except KeyboardInterrupt:
        progress.print("Interrupted.")
        return _INTERRUPTED
    finally:
        _remove(instance, progress)
    show(figures, console)
    if given.json:
        given.json.write_text(json.dumps([figure.to_json() for figure in figures], indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description="Measures Cabestan beside the bare tools, on this machine.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="NAME", help=f"one of {', '.join(ROWS)}")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _prepare(instance: Instance, progress: Console) -> None:
    progress.print(f"Preparing an installation of its own, {instance.name} ...")
    with deadline(_PREPARE_SECONDS, "preparing"):
        instance.prepare()
        instance.start()


def _remove(instance: Instance, progress: Console) -> None:
    """Not to be interrupted: what is left over would be in the way."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    progress.print(f"Removing {instance.name} and all that it made ...")
    instance.remove()


def _measured(name: str, instance: Instance, progress: Console) -> list[Figure]:
    """One that fails or takes too long is told as such, and the others go on."""
    measure, seconds = ROWS[name]
    progress.print(f"Measuring {name} (at most {seconds:.0f} s) ...")
    began = time.monotonic()
    try:
        with deadline(seconds, name):
            figures = measure(instance)
    except (TooLate, RuntimeError, OSError, ValueError, httpx.HTTPError, subprocess.SubprocessError) as error:
        words = str(error) + str(getattr(error, "stderr", "") or "")
        figures = [Figure(name, None, "", limit=0, note=f"NOT MEASURED: {words}")]
    progress.print(f"  {time.monotonic() - began:.0f} s")
    return figures


if __name__ == "__main__":
    sys.exit(main())
