"""Copies of backups elsewhere: whatever storage rclone knows."""

import re
import subprocess
from pathlib import Path

from cabestan.domain.redaction import Redactor
from cabestan.errors import StepFailed

_LAST_WORDS = 1000
#: rclone's exit codes for a folder and a file that are not there
_ABSENT = (3, 4)
#: what must not be shown of a place that says how to sign in
_PASSWORD = re.compile(r'(?:pass|password|secret|key|token)[a-z_]*="?([^",:]+)')


def command(*words: str) -> list[str]:
    return ["rclone", "--quiet", "--retries", "3", "--low-level-retries", "5", *words]


class Remote:
    """`place` is as rclone writes it: `nas:backups`, `:sftp,host=nas.example.org,user=cabestan:backups`, `/mnt/nas`."""

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place.rstrip("/")
        self._seconds = seconds
        self._redactor = Redactor(found[1] for found in _PASSWORD.finditer(place))

    def put(self, path: Path, name: str) -> None:
        """Whole or not at all; rclone compares sizes and, where the storage has them, checksums."""
        self._run("copyto", str(path), self._where(name))

    def fetch(self, name: str, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._run("copyto", self._where(name), str(path))

    def remove(self, name: str) -> None:
        self._run("deletefile", self._where(name), accept=_ABSENT)

    def _where(self, name: str) -> str:
        return f"{self._place}{'' if self._place.endswith(':') else '/'}{name}"

    def _run(self, *words: str, accept: tuple[int, ...] = ()) -> None:
        try:
            done = subprocess.run(
                command(*words), capture_output=True, text=True, timeout=self._seconds, check=False, errors="replace"
            )
        except FileNotFoundError as error:
            raise StepFailed("There is no rclone on this machine.", "apt-get install rclone") from error
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"rclone {words[0]} took longer than {self._seconds:.0f} s.", "Is it reached?") from error
        if done.returncode and done.returncode not in accept:
            told = self._redactor.text(done.stderr).strip()[-_LAST_WORDS:]
            raise StepFailed(
                f"rclone {words[0]} failed (exit code {done.returncode}): {told}",
                "Check backup_remote, and that `rclone lsd` reaches it.",
            )
