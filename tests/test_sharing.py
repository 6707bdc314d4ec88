"""Several workers at the tests of a folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sharing import unit

ROOT = Path(__file__).parents[1]
_LEAKS = """
import gc, socket
def test_leaks():
    gc.disable()
    class Ring: pass
    ring = Ring()
    ring.itself, ring.socket = ring, socket.socket()
"""


@pytest.mark.parametrize(
    ("test", "wanted"),
    [
        ("tests/domain/test_names.py::test_a[x::y]", "tests/domain/test_names.py"),
        ("tests/store/test_users.py::test_a[sqlite]", "tests/store/test_users.py sqlite"),
        ("tests/store/test_users.py::test_a[postgresql-x]", "tests/store/test_users.py postgresql"),
        ("tests/integration/test_routing.py::test_a", "tests/integration/test_routing.py"),
        ("tests/integration/test_https.py::test_a[x]", "tests/integration/test_https.py::test_a[x]"),
        ("tests/integration/test_major_upgrade.py::test_a[x]", "tests/integration/test_major_upgrade.py::test_a[x]"),
        ("tests/e2e/test_log.py::test_a[sqlite]", "tests/e2e sqlite"),
    ],
)
def test_files_stay_whole_but_for_those_that_share_only_the_platform(test: str, wanted: str) -> None:
    assert unit(test) == wanted


def _run(
    folder: Path, files: dict[str, str], workers: int = 2, more: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = --import-mode=importlib\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.sharing", "-v", f"--numprocesses={workers}", *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_browsers_tests_come_first_and_then_those_with_the_engine(tmp_path: Path) -> None:
    engine = [f"integration/test_{name}.py" for name in ("https", "x", "major_upgrade", "acme")]
    names = ("a/test_1.py", "e2e/test_2.py", *engine, "z/test_3.py")
    done = _run(tmp_path, dict.fromkeys(names, "def test(): pass"), workers=1)
    ran = re.findall(r"PASSED (\S+)::test", done.stdout)
    assert ran == [names[place] for place in (1, 5, 4, 3, 2, 0, 6)], done.stdout + done.stderr
    assert done.returncode == 0


def test_what_needs_no_engine_comes_first_while_there_are_no_base_images(tmp_path: Path) -> None:
    made = tmp_path / "made"
    arrives = "import pathlib\ndef test(): pathlib.Path({!r}).touch()"
    needs = "import pathlib\ndef test(): assert pathlib.Path({!r}).exists()"
    files = {f"integration/test_{name}.py": needs.format(str(made)) for name in "ab"}
    files |= {f"z/test_{name}.py": "def test(): pass" for name in "cde"} | {"z/test_f.py": arrives.format(str(made))}
    done = _run(tmp_path, files, workers=1, more=(f"--images={made}",))
    ran = re.findall(r"PASSED (\S+)::test", done.stdout)
    assert (done.returncode, len(ran)) == (0, 6), done.stdout + done.stderr
    assert ran[:4] == [f"z/test_{name}.py" for name in "cdef"]


def test_without_base_images_what_needs_them_fails_at_once_with_the_reason(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_text("They could not be made.")
    files = {"integration/test_a.py": "def test(): pass", "z/test_b.py": "def test(): pass"}
    done = _run(tmp_path, files, workers=1, more=(f"--images={made}",))
    assert "1 passed, 1 error in" in done.stdout, done.stdout + done.stderr
    assert "They could not be made." in done.stdout


def test_what_a_workers_last_test_leaves_open_is_noticed(tmp_path: Path) -> None:
    done = _run(tmp_path, {"a/test_1.py": _LEAKS})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "unclosed <socket.socket" in done.stdout
