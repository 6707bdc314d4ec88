"""A test with an engine or a browser that failed is run once more, alone, when all others are done (`--second-try`).

If it passes then, the run passes, and its last lines name it: unsteady, to be looked into. Its failure stays in the
output. Other tests get no second chance: nothing but their own code can make them fail.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

_MARKS = frozenset({"integration", "e2e"})
#: more than so many are no bad luck
_MOST = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--second-try", action="store_true", help="run what failed with an engine or a browser once more, alone"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--second-try") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_SecondTry(config))


class _SecondTry:
    """In the process that hands the tests out."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failed: dict[str, bool] = {}
        self._passed_then: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed[report.nodeid] = not _MARKS.isdisjoint(report.keywords)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """When the workers have ended, and all that they had is gone."""
        if session.exitstatus != pytest.ExitCode.TESTS_FAILED or not all(self._failed.values()):
            return
        if not 0 < len(self._failed) <= _MOST:
            return
        self._passed_then = [test for test in self._failed if self._passes_alone(test)]
        if len(self._passed_then) == len(self._failed):
            session.exitstatus = pytest.ExitCode.OK

    def _passes_alone(self, test: str) -> bool:
        print(f"\n== once more, alone: {test}", flush=True)
        given = [f"--database={database}"] if (database := self._config.getoption("--database", None)) else []
        command = [sys.executable, "-m", "pytest", *given, test]
        return subprocess.run(command, cwd=self._config.rootpath, check=False).returncode == 0

    def pytest_unconfigure(self) -> None:
        """The last lines, below the summary that still counts them as failed."""
        if self._passed_then:
            print("\n".join(["== unsteady: failed, and passed alone", *self._passed_then]), flush=True)
