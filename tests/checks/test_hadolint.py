from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from cabestan.checks import hadolint as module
from cabestan.checks.hadolint import findings, hadolint
from cabestan.domain.finding import Finding


def test_an_answer_becomes_warnings_with_lines() -> None:
    answer: list[dict[str, Any]] = [
        {"code": "DL3006", "column": 1, "file": "-", "level": "error", "line": 2, "message": "Tag\n it"},
        {"code": "DL3002", "column": 1, "file": "-", "level": "warning", "line": 3, "message": "root"},
    ]
    assert findings("web/Dockerfile", answer) == (
        Finding("DL3006", "warning", "web/Dockerfile", 2, 1, "", "Tag it.", ""),
    )


def test_the_program_itself_is_asked() -> None:
    text = "FROM debian\nRUN cd /tmp && ls\n"
    assert [(f.code, f.line, f.severity) for f in hadolint("Dockerfile", text)] == [
        ("DL3006", 1, "warning"),
        ("DL3003", 2, "warning"),
    ]


def test_an_ignored_code_is_not_told() -> None:
    assert hadolint("Dockerfile", "# hadolint ignore=DL3006\nFROM debian\n") == ()


def test_a_file_that_is_no_dockerfile_is_one_warning() -> None:
    assert [(f.code, f.line) for f in hadolint("Dockerfile", "FRO x\n")] == [("DL1000", 1)]


def test_a_huge_file_is_not_handed_over() -> None:
    (finding,) = hadolint("Dockerfile", "#" * 300_000)
    assert (finding.code, finding.severity) == ("dockerfile-unchecked", "warning")
    assert "more than 262144 bytes" in finding.message


def test_without_the_program_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_program", lambda: None)
    assert [(f.code, f.message) for f in hadolint("Dockerfile", "FROM a\n")] == [
        ("dockerfile-unchecked", "Not checked: hadolint is not installed.")
    ]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (subprocess.TimeoutExpired("hadolint", 10), "took more than 10 s"),
        (OSError("no"), "did not run"),
        (json.JSONDecodeError("no JSON", "", 0), "did not run"),
    ],
)
def test_a_program_that_fails_fails_nothing_else(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(module, "_program", lambda: "hadolint")
    monkeypatch.setattr(subprocess, "run", fails)
    (finding,) = hadolint("Dockerfile", "FROM a\n")
    assert finding.code == "dockerfile-unchecked"
    assert words in finding.message


def test_it_gives_way_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, b"[]")

    monkeypatch.setattr(subprocess, "run", run)
    assert hadolint("Dockerfile", "FROM debian\n# of nobody else\n") == ()
    assert [command[:3] for command in commands] == [["nice", "-n", "10"]]


def test_a_text_that_was_checked_is_not_checked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "FROM debian\n# the same in two files\n"
    first = hadolint("Dockerfile", text)
    assert [finding.code for finding in first] == ["DL3006"]
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it was run again"))
    (again,) = hadolint("Dockerfile.other", text)
    assert (again.code, again.file) == ("DL3006", "Dockerfile.other")
