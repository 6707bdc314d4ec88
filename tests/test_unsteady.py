"""A second try for what failed with an engine or a browser, and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_INI = """\
[pytest]
addopts = --import-mode=importlib
markers =
    integration: with an engine
"""
_TESTS = """\
import pathlib, pytest
tries = pathlib.Path(__file__).parent / "tries"
def test_good(): pass
{mark}
@pytest.mark.parametrize("name", ["one"])
def test_fails(name):
    with tries.open("a") as file:
        file.write("x")
    assert len(tries.read_text()) > {failures}, "the first failure"
"""


def _run(folder: Path, mark: str, failures: int, *given: str) -> tuple[int, int, str]:
    """Exit code, how often the test ran, and what was said."""
    (folder / "pytest.ini").write_text(_INI)
    (folder / "test_x.py").write_text(_TESTS.format(mark=mark, failures=failures))
    command = [sys.executable, "-m", "pytest", "-p", "tests.unsteady", *given]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, len((folder / "tries").read_text()), done.stdout + done.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_passes_alone_passes_and_is_named_with_its_first_failure(tmp_path: Path, workers: str) -> None:
    code, tries, said = _run(tmp_path, "@pytest.mark.integration", 1, "--second-try", "--numprocesses", workers)
    assert (code, tries) == (0, 2), said
    assert "the first failure" in said
    assert said.rstrip().endswith("== unsteady: failed, and passed alone\ntest_x.py::test_fails[one]")


@pytest.mark.parametrize(
    ("mark", "failures", "given", "tries"),
    [
        ("@pytest.mark.integration", 2, ("--second-try",), 2),
        ("", 1, ("--second-try",), 1),
        ("@pytest.mark.integration", 1, (), 1),
    ],
)
def test_what_fails_twice_or_by_its_own_code_fails(
    tmp_path: Path, mark: str, failures: int, given: tuple[str, ...], tries: int
) -> None:
    code, ran, said = _run(tmp_path, mark, failures, *given)
    assert (code, ran) == (1, tries), said
