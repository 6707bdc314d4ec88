"""The memory of the server: idle, and after a million lines went through it."""

import time
from pathlib import Path

from bench.figures import Figure
from bench.instance import Instance
from bench.rows import lines

IDLE_LIMIT = 140
GROWTH_LIMIT = 50
_SETTLE_SECONDS = 5


def measure(instance: Instance) -> list[Figure]:
    """In a server that was just started."""
    lines.prepare(instance.api)
    instance.stop()
    instance.start()
    idle = _settled(instance.pid)
    lines.follow_once(instance)
    after = _settled(instance.pid)
    note = f"resident set {_SETTLE_SECONDS} s after the start"
    grown = f"resident set {_SETTLE_SECONDS} s after the last line: {after:.0f} MB"
    return [
        Figure("memory of the idle server", idle, "MB", limit=IDLE_LIMIT, note=note),
        Figure("memory more after a million lines", after - idle, "MB", limit=GROWTH_LIMIT, note=grown),
    ]


def _settled(pid: int) -> float:
    time.sleep(_SETTLE_SECONDS)
    return resident(Path(f"/proc/{pid}/status").read_text())


def resident(status: str) -> float:
    """Megabytes (of 1,000,000 bytes) from the text of `/proc/PID/status`, which counts in kibibytes."""
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kibibytes) * 1024 / 1_000_000
