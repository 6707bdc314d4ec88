"""Load on a route of an instance, from a process of its own."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.instance import Instance

#: load before what is measured and after it (seconds)
_LEAD_SECONDS = 2


@contextmanager
def loaded(instance: Instance, host: str, rate: int, method: str = "GET") -> Iterator[dict[str, Any]]:
    """What it reports (`bench.load`) is in the dictionary afterwards."""
    report: dict[str, Any] = {}
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as root:
        root.write(instance.api.get("/ca")["certificate"])
        root.flush()
        command = [sys.executable, "-m", "bench.load", str(instance.tls_port), host, str(rate), root.name]
        command += ["--method", method]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
            try:
                time.sleep(_LEAD_SECONDS)
                yield report
                time.sleep(_LEAD_SECONDS)
                report |= json.loads(load.communicate()[0])
            finally:
                load.kill()
