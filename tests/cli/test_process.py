"""The server's process: what it says when it cannot start."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cabestan.cli import process
from cabestan.config import Settings
from cabestan.errors import StepFailed


def test_a_port_that_something_else_listens_on_is_told(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            with pytest.raises(StepFailed) as refused:
                process.start(Settings(data=tmp_path, port=other.server_port))
        finally:
            other.shutdown()
    assert str(refused.value) == (
        f"Something else listens at 127.0.0.1:{other.server_port}. Stop it, or set another port."
    )


def test_a_key_that_is_no_key_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not hexadecimal\n")
    settings = {"CABESTAN_DATA": str(tmp_path), "CABESTAN_CONFIG": os.devnull, "CABESTAN_PORT": "8611"}
    done = subprocess.run(
        [sys.executable, "-m", "cabestan.server"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: The key file {tmp_path}/key cannot be read: ")
    assert "Traceback" not in done.stderr
