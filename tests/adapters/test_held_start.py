"""What a held container does, without a container: bash itself."""

import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cabestan.adapters.held_start import bash_of, held


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _started(until: datetime, *words: str, **environment: str) -> "subprocess.Popen[str]":
    # whoever began the tests may ignore signals, as a shell does for what runs in its background
    command = ["env", "--default-signal", *held("bash", until), *words]
    return subprocess.Popen(
        command, env=os.environ | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _output(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=20)[0]


def test_the_command_begins_at_the_second_and_not_before() -> None:
    until = _in(1)
    begun = float(_output(_started(until, "bash", "-c", "date +%s.%N")))
    assert begun >= until.timestamp()
    assert begun < until.timestamp() + 10


def test_what_is_due_begins_at_once_and_is_the_process_itself() -> None:
    process = _started(_in(-60), "bash", "-c", "echo $$")
    assert int(_output(process)) == process.pid


def test_it_becomes_the_command_with_its_words_its_environment_and_its_exit() -> None:
    environment = {"A": "one", "_cabestan": "two", "n": "3"}
    words = ("bash", "-c", 'echo "$0|$1|$A|$_cabestan|$n|$SHLVL"; exit 7', "a b", "$HOME 'x'")
    process = _started(_in(1), *words, **environment)
    plain = subprocess.run(words, env=os.environ | environment, text=True, capture_output=True, check=False)
    assert (_output(process), process.returncode) == (plain.stdout, 7)
    assert plain.stdout.startswith("a b|$HOME 'x'|one|two|3|")


def test_the_command_has_the_open_files_that_it_would_have() -> None:
    words = ("bash", "-c", "cd /proc/$$/fd; echo *")
    assert _output(_started(_in(1), *words)) == _output(_started(_in(-60), *words))


def test_what_the_environment_has_bash_run_runs_with_the_command_alone(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "env").write_text(f"date +%s.%N >> {told}\n")
    until = _in(1)
    _output(_started(until, "bash", "-c", "true", BASH_ENV=str(tmp_path / "env")))
    (begun,) = told.read_text().split()
    assert float(begun) >= until.timestamp()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGWINCH])
def test_a_signal_ends_it_before_the_command_begins(number: signal.Signals) -> None:
    process = _started(_in(60), "echo", "begun")
    _wait_until_it_holds(process.pid)
    process.send_signal(number)
    assert (_output(process), process.returncode) == ("", 143)


def _wait_until_it_holds(pid: int) -> None:
    """Its pipe is open, so the signals are caught."""
    deadline = time.monotonic() + 10
    while not any("pipe" in _leads_to(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if int(fd.name) > 2):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _leads_to(file: Path) -> str:
    """Nowhere where it was closed since it was seen."""
    try:
        return os.readlink(file)
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize(
    ("entrypoint", "command", "bash"),
    [
        ((), ("bash", "-c", "x"), "bash"),
        (("/entrypoint.sh",), ("bash", "-c", "x"), "bash"),
        (("/bin/bash",), ("-c", "x"), "/bin/bash"),
        (("tini", "--", "/usr/bin/bash"), ("-c", "x"), "/usr/bin/bash"),
        (("/bin/sh",), ("-c", "x"), ""),
        ((), ("-c", "x"), ""),
        ((), (), ""),
        ((), ("python3", "x.py"), ""),
    ],
)
def test_only_what_bash_runs_is_held(entrypoint: tuple[str, ...], command: tuple[str, ...], bash: str) -> None:
    assert bash_of(entrypoint, command) == bash
