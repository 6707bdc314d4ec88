"""The checkpoint that kills."""

import signal
import subprocess
import sys
from pathlib import Path

_PASS = """
import sys, pathlib
from cabestan.testing import KillAt
kill_at = KillAt(frozenset(["job.start:after", "job.clean:before"]), pathlib.Path(sys.argv[1]))
for boundary in ("job.start:before", "job.start:after", "job.clean:before", "job.clean:after"):
    kill_at(boundary)
print("passed")
"""


def _run(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", _PASS, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_each_boundary_kills_once(tmp_path: Path) -> None:
    killed = (-signal.SIGKILL, "")
    assert [_run(tmp_path) for _ in range(3)] == [killed, killed, (0, "passed\n")]
    assert sorted(marker.name for marker in tmp_path.iterdir()) == ["job.clean:before", "job.start:after"]
