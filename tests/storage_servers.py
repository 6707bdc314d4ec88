"""Storage over the network, with a password: what rclone itself serves on a loopback address."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

USER = "keeper"
PROTOCOLS = ("sftp", "webdav")


@dataclass(frozen=True)
class StorageServer:
    """One that may come and go; its files are in `folder`."""

    protocol: str
    folder: Path
    port: int
    password: str

    def place(self, password: str = "") -> str:
        """As `backup_remote` is written."""
        address = {
            "sftp": f"host=127.0.0.1,port={self.port}",
            "webdav": f"url='http://127.0.0.1:{self.port}',vendor=other",
        }[self.protocol]
        return f":{self.protocol},{address},user={USER},pass={obscured(password or self.password)}:kept"

    @contextmanager
    def serving(self, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
        self.folder.mkdir(exist_ok=True)
        command = ["rclone", "serve", self.protocol, str(self.folder), "--addr", f"127.0.0.1:{self.port}", *options]
        environment = {"RCLONE_USER": USER, "RCLONE_PASS": self.password, "HOME": str(self.folder)}
        with subprocess.Popen(
            command, env=environment | {"PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                self._wait(process)
                yield process
            finally:
                process.kill()

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"rclone does not serve {self.protocol}")


def obscured(password: str) -> str:
    """As rclone wants it in a description; whoever has it has the password."""
    done = subprocess.run(["rclone", "obscure", "-"], input=password, capture_output=True, text=True, check=True)
    return done.stdout.strip()
