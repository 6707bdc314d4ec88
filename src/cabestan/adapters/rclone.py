"""Copies of backups elsewhere: whatever storage rclone knows."""

import os
import re
import subprocess
from pathlib import Path

from cabestan.domain.redaction import Redactor
from cabestan.errors import StepFailed

_LAST_WORDS = 1000
#: rclone's exit codes for a folder and a file that are not there, and what older versions say
_ABSENT = (3, 4)
_ABSENT_WORDS = "is a directory or doesn't exist"
#: the remote of rclone's that stands for the place
_NAME = "backup_remote"
_PARTIAL = ".fetched"
#: of options in a place that is described as `:sftp,host=…,pass=…:`
_SECRET = re.compile(r"""(?:pass|secret|key|token|auth)[a-z_]*=("(?:[^"]|"")*"|'(?:[^']|'')*'|[^,:"']+)""")
_IN_ADDRESS = re.compile(r"://[^/@\s]*?:([^/@\s]+)@")


def command(*words: str) -> list[str]:
    return ["rclone", "--quiet", "--retries", "3", "--low-level-retries", "5", *words]


def environment(place: str) -> dict[str, str]:
    """Tells rclone the place in its environment, which others cannot read: it may hold a password."""
    prefix = f"RCLONE_CONFIG_{_NAME.upper()}"
    return {f"{prefix}_TYPE": "alias", f"{prefix}_REMOTE": place}


def without_secrets(text: str, place: str) -> str:
    """What rclone said, without the passwords of the place, as they stand there and as they are meant."""
    found = [_unquoted(value) for value in _SECRET.findall(place)]
    written = (value.replace(quote, quote * 2) for value in found for quote in "\"'")
    return Redactor([*found, *written, *_IN_ADDRESS.findall(place)]).text(text)


def _unquoted(value: str) -> str:
    """`"a""b"` → `a"b`."""
    quote = value[0]
    return value[1:-1].replace(quote * 2, quote) if quote in "\"'" else value


class Remote:
    """`place` is as rclone writes it: `nas:backups`, `:sftp,host=nas.example.org,user=cabestan:backups`, `/mnt/nas`."""

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place
        self._seconds = seconds

    def put(self, path: Path, name: str) -> None:
        """May leave half a file where it fails; rclone sees the next time that its size is another one."""
        self._run("copyto", str(path), f"{_NAME}:{name}")

    def fetch(self, name: str, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(path.name + _PARTIAL)
        try:
            self._run("copyto", f"{_NAME}:{name}", str(partial))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """What is not there is gone."""
        done = self._ended("deletefile", f"{_NAME}:{name}")
        if done.returncode not in _ABSENT and _ABSENT_WORDS not in done.stderr:
            self._check("deletefile", done)

    def _run(self, *words: str) -> None:
        self._check(words[0], self._ended(*words))

    def _ended(self, *words: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                command(*words),
                env={**os.environ, **environment(self._place)},
                capture_output=True,
                text=True,
                timeout=self._seconds,
                check=False,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise StepFailed("There is no rclone on this machine.", "apt-get install rclone") from error
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"rclone {words[0]} took longer than {self._seconds:.0f} s.", "Is it reached?") from error

    def _check(self, word: str, done: "subprocess.CompletedProcess[str]") -> None:
        if done.returncode:
            said = without_secrets(done.stderr, self._place).strip()[-_LAST_WORDS:]
            raise StepFailed(
                f"rclone {word} failed (exit code {done.returncode}): {said}",
                "Check backup_remote, and that `rclone lsd` reaches it.",
            )
