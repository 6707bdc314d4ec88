"""A push that is followed in its author's terminal, and `cabestan watch`, on the real platform."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.harness import CHECKOUT, Platform, Work, eventually
from tests.integration.samples import SMALL

pytestmark = pytest.mark.integration
_SECONDS = 120


@pytest.fixture(scope="module")
def project(prepared: Platform) -> Iterator[Work]:
    """One for all of these tests, for its builder stays warm."""
    with prepared.served_with(push_follow_seconds="600"):
        yield prepared.make_project(SMALL)


@pytest.fixture
def work(project: Work, platform: Platform) -> Work:
    """With something to push."""
    assert platform is project.platform
    project.files = dict(SMALL)
    project.commit()
    return project


def _watching(work: Work, *words: str) -> "subprocess.Popen[str]":
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT / "src"), "HOME": str(work.platform.folder)}
    server = {"CABESTAN_URL": f"http://127.0.0.1:{work.platform.port}", "CABESTAN_TOKEN": work.platform.token}
    command = [sys.executable, "-m", "cabestan", "watch", "-p", work.name, *words]
    return subprocess.Popen(
        command,
        env=kept | server,
        cwd=work.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def _watched(work: Work, *words: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    watching = _watching(work, *words)
    said, _ = watching.communicate(timeout=_SECONDS)
    return watching.returncode, said


def _read_until(git: "subprocess.Popen[str]", words: str) -> list[str]:
    """What comes, up to the line with the words, as soon as that has come."""
    assert git.stdout
    lines: list[str] = []
    for line in git.stdout:
        lines.append(line.removeprefix("remote: ").rstrip())
        if words in line:
            return lines
    raise AssertionError(f"{words} did not come: {lines}")


def _processes_of_git(work: Work) -> list[str]:
    """Those that serve the project's repository, hooks included."""
    repository = f"/repositories/{work.platform.project_id(work.name)}.git"
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if repository.encode() in environ.read_bytes() and str(work.platform.data).encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_a_push_streams_until_staging_serves(work: Work) -> None:
    commit = work.git("rev-parse", "HEAD").strip()
    git = work.push_in_background()
    begun = _read_until(git, "running")
    assert git.poll() is None
    assert _processes_of_git(work) == []
    lines = begun + _read_until(git, "staging: serving at https://") + _read_until(git, "production: ")
    git.communicate(timeout=_SECONDS)
    assert git.returncode == 0, lines
    [release] = [line for line in lines if line.startswith("Release ")]
    order = [
        "succeeded  lint",
        "succeeded  build",
        release,
        "staging: deployment",
        "  ✓ succeeded  Pull",
        "staging: serv",
    ]
    places = [next(place for place, line in enumerate(lines) if words in line) for words in order]
    assert places == sorted(places), lines
    assert "waits for an approval: cabestan approve" in lines[-1], lines
    assert work.platform.ask(work.host("staging")).text == f"one staging {commit}"

    code, said = _watched(work)
    assert (code, "staging: serving at https://" in said) == (0, True), said
    assert _watched(work, "-e", "production")[0] == 12


def test_ctrl_c_leaves_the_work_going_and_no_process_behind(work: Work) -> None:
    git = work.push_in_background()
    _read_until(git, "running")
    os.killpg(git.pid, signal.SIGINT)
    git.communicate(timeout=_SECONDS)
    assert git.returncode == -signal.SIGINT
    assert _processes_of_git(work) == []
    code, said = _watched(work)
    assert code == 0, said


def test_a_push_that_is_not_followed_ends_before_its_pipeline_does(work: Work) -> None:
    git = work.push_in_background(options=["-o", "no-follow"])
    output, _ = git.communicate(timeout=_SECONDS)
    [newest] = work.platform.get(f"/projects/{work.name}/pipelines", limit=1)["items"]
    assert (git.returncode, f"To follow it: cabestan watch {newest['id']}" in output) == (0, True), output
    assert newest["status"] in ("created", "running")
    assert _watched(work, str(newest["id"]))[0] == 0


def test_a_server_that_is_killed_leaves_the_push_stored_and_is_watched_again(work: Work) -> None:
    platform, commit = work.platform, work.git("rev-parse", "HEAD").strip()
    git = work.push_in_background()
    lines = _read_until(git, "running")
    watching = _watching(work)
    assert watching.stdout
    assert watching.stdout.readline()
    platform.restart()
    output, _ = git.communicate(timeout=_SECONDS)
    assert git.returncode != 0, output
    assert lines[1].startswith("The push is stored, and followed here")
    said, _ = watching.communicate(timeout=_SECONDS)
    assert (watching.returncode, "staging: serving at" in said) == (0, True), said
    eventually(lambda: platform.ask(work.host("staging")).text == f"one staging {commit}", 30, "staging serves it")


def test_a_build_that_fails_says_its_last_lines(work: Work) -> None:
    work.files["Dockerfile"] += "RUN echo what went wrong; exit 3\n"
    work.commit()
    git = work.push_in_background()
    output, _ = git.communicate(timeout=_SECONDS)
    assert git.returncode == 0
    lines = [line.removeprefix("remote: ").rstrip() for line in output.splitlines()]
    assert any(line.startswith("✗ failed     build") for line in lines), output
    assert any(line.startswith("    | ") and "what went wrong" in line for line in lines), output
    code, said = _watched(work)
    assert (code, "what went wrong" in said) == (10, True), said
