"""Many followers of one job that prints steadily: how long until a line is with all of them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from bench import projects, script_jobs
from bench.apps import compose
from bench.figures import Figure, percentile
from bench.following import Notes
from bench.instance import Instance

LIMIT = 0.5
_PROJECT = "bench/followers"
_PROCESSES = 2
_FOLLOWERS = 200
_LINES_PER_SECOND = 1000
_LINES = 15_000
#: microseconds since 1970, and the line's end
_LINE_BYTES = 17
#: each line has its time to be printed at, however long the ones before took
_SCRIPT = f"""
sleep 5
exec {{pipe}}<> <(:)
begun=${{EPOCHREALTIME/./}}
for ((n = 0; n < {_LINES}; n++)); do
    wait=$((begun + n * {1_000_000 // _LINES_PER_SECOND} - ${{EPOCHREALTIME/./}}))
    ((wait <= 0)) || {{ printf -v nap '0.%06d' "$wait"; read -rt "$nap" -u "$pipe"; }}
    echo "${{EPOCHREALTIME/./}}"
done
"""


def measure(instance: Instance) -> list[Figure]:
    """The job ends by itself, so that every follower sees the end."""
    api = instance.api
    projects.create(api, _PROJECT)
    api.ended(f"/pipelines/{projects.push(api, _PROJECT, compose.one_image())}")
    pipeline, job = script_jobs.start(instance.database, api, _PROJECT, _SCRIPT)
    try:
        notes = _follow(instance, job)
        printed = [int(line) / 1e6 for line in api.log(job).splitlines()]
    finally:
        api.ended(f"/pipelines/{pipeline}")
    delays = delays_with_all(printed, notes)
    note = (
        f"{len(delays)} lines in {printed[-1] - printed[0]:.1f} s, {len(notes)} followers in {_PROCESSES} processes; "
        f"half {percentile(delays, 0.5):.3f} s, slowest {max(delays):.3f} s"
    )
    return [Figure("line with 200 followers, 99 %", percentile(delays, 0.99), "s", limit=LIMIT, note=note)]


def _follow(instance: Instance, job: int) -> list[Notes]:
    path = f"/api/v1/jobs/{job}/log/stream"
    command = [sys.executable, "-m", "bench.following", str(instance.port), path, str(_FOLLOWERS // _PROCESSES)]
    environment = os.environ | {"BENCH_TOKEN": instance.token}
    with ExitStack() as running:
        processes = [
            running.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
            for _ in range(_PROCESSES)
        ]
        for process in processes:
            running.callback(process.kill)
        outputs = [process.communicate()[0] for process in processes]
    return [[(size, at) for size, at in notes] for out in outputs for notes in json.loads(out.splitlines()[-1])]


def delays_with_all(printed: Sequence[float], followers: Sequence[Notes]) -> list[float]:
    """Per line, from when it was printed until the last follower had it, in seconds.

    `printed` are the times of the lines, all of the same length. Raises RuntimeError where a follower lacks lines.
    """
    latest = [0.0] * len(printed)
    for notes in followers:
        line = 0
        for size, at in notes:
            while line < len(printed) and (line + 1) * _LINE_BYTES <= size:
                latest[line] = max(latest[line], at)
                line += 1
        if line < len(printed):
            raise RuntimeError(f"A follower has {line} of {len(printed)} lines.")
    return [arrived - began for began, arrived in zip(printed, latest, strict=True)]
