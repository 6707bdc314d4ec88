"""Lists with many readers at the same time: how long the slowest of a hundred answers takes."""

import json
import os
import subprocess
import sys

from bench.figures import Figure
from bench.instance import Instance
from bench.rows import lists

LIMIT = 2.0
_READERS = 300
_SECONDS = 15
_PIPELINES = 1_000


def measure(instance: Instance) -> list[Figure]:
    """A server of its own, asked from another process: each reader asks anew as soon as it is answered."""
    with lists.filled(f"{instance.name}-r", _PIPELINES) as client:
        paths = lists.those_there_are(client)
        command = [
            sys.executable,
            "-m",
            "bench.reading",
            str(client.base_url.port),
            str(_READERS),
            str(_SECONDS),
            *paths,
        ]
        token = client.headers["Authorization"].removeprefix("Bearer ")
        done = subprocess.run(command, env=os.environ | {"BENCH_TOKEN": token}, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout)
    note = (
        f"{_READERS} readers of {len(paths)} lists for {_SECONDS} s, {said['per_second']:.0f} answers a second; "
        f"half {said['half']:.2f} s, slowest {said['slowest']:.2f} s"
    )
    return [Figure("list page, 300 readers, 99 %", said["most"], "s", limit=LIMIT, note=note)]
