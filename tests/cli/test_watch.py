"""`cabestan watch`: what it says, and with which exit code it ends."""

import json
import signal
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer, refusal
from tests.cli.test_exit_codes import started
from tests.cli.things import PIPELINE

from cabestan.cli import watching
from cabestan.cli.commands.watch import EXIT_TIMEOUT, EXITS
from cabestan.cli.failures import EXIT_FAILED, EXIT_REFUSED, EXIT_UNABLE, EXIT_UNREACHABLE
from cabestan.domain.progress import DeploymentProgress, JobProgress, Progress, StepProgress
from cabestan.domain.status import DeploymentStatus, RunStatus

AT = "/pipelines/3/progress"
STEP = StepProgress("Apply the stack: app", "succeeded", 2.0)
PRODUCTION = DeploymentProgress(5, "production", DeploymentStatus.WAITING)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_POLL_SECONDS", 0.01)


def progress(pipeline: RunStatus, **staging: Any) -> dict[str, Any]:
    jobs = (JobProgress(7, "app", pipeline, seconds=3.0),)
    deployment = DeploymentProgress(4, "staging", DeploymentStatus.RUNNING, url="https://staging.example")
    made = (DeploymentProgress(**{**vars(deployment), **staging}), PRODUCTION) if staging else ()
    release = 2 if made else None
    now = Progress(3, "main", "c0ffee", "http://x/3", pipeline, jobs=jobs, release=release, deployments=made)
    found: dict[str, Any] = json.loads(json.dumps(asdict(now)))
    return found


RUNNING = progress(RunStatus.RUNNING)


def deployed(status: str) -> dict[str, Any]:
    return progress(RunStatus.SUCCEEDED, status=DeploymentStatus(status), steps=(STEP,))


def test_a_push_is_watched_until_staging_serves_across_a_restart(cli: Cli, server: FakeServer) -> None:
    away = refusal(503, "engine_unavailable", "Restarting.")
    server.series("GET", AT, RUNNING, away, away, deployed("running"), deployed("succeeded"))
    done = cli("watch", "3")
    assert (done.code, done.err) == (0, "Restarting. Trying on for a minute.\n")
    assert done.out.splitlines() == [
        "◐ running    app",
        "✓ succeeded  app  (3 s)",
        "Release 2 is made.",
        "staging: deployment 4",
        "  ✓ succeeded  Apply the stack: app  (2 s)",
        "staging: serving at https://staging.example",
        "production: deployment 5 waits for an approval: cabestan approve 5",
    ]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (deployed("succeeded"), "serving", 0),
        (progress(RunStatus.FAILED), "pipeline_failed", 10),
        (progress(RunStatus.CANCELED), "pipeline_failed", 10),
        (deployed("failed"), "deployment_failed", 11),
        (deployed("rolled_back"), "deployment_failed", 11),
        (deployed("waiting"), "waiting", 12),
        (deployed("superseded"), "superseded", 13),
        (progress(RunStatus.SUCCEEDED), "not_deployed", 14),
    ],
)
def test_the_exit_code_tells_how_it_ended(
    cli: Cli, server: FakeServer, answer: dict[str, Any], outcome: str, code: int
) -> None:
    server.on("GET", AT, answer)
    done = cli("watch", "3", "--json")
    assert (done.code, done.json, done.err) == (code, {"outcome": outcome, **answer}, "")


def test_exit_codes_are_distinct() -> None:
    others = [EXIT_FAILED, EXIT_UNABLE, EXIT_REFUSED, EXIT_UNREACHABLE, 130]
    codes = [*EXITS.values(), EXIT_TIMEOUT, *others]
    assert len(set(codes)) == len(codes)


def test_with_an_environment_what_comes_of_it_there_counts(cli: Cli, server: FakeServer) -> None:
    server.on("GET", AT, deployed("succeeded"))
    server.on("GET", "/pipelines/3", PIPELINE)
    for name in ("production", "qa"):
        server.on("GET", f"/projects/demo/hello/environments/{name}", {"name": name})
    assert cli("watch", "3", "-e", "production").code == 12
    elsewhere = cli("watch", "3", "-e", "qa")
    assert (elsewhere.code, elsewhere.err) == (14, "It does not come to qa by itself: cabestan deploy 2 -e qa\n")
    assert cli("watch", "3", "-e", "nowhere").code == EXIT_REFUSED


def test_after_its_time_it_says_how_to_go_on(cli: Cli, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.on("GET", AT, RUNNING)
    monkeypatch.setattr("cabestan.cli.commands.watch.time.monotonic", iter([0.0, *[2.0] * 100]).__next__)
    done = cli("watch", "3", "--timeout", "1")
    assert (done.code, done.err) == (15, "Not over within 1 s; it goes on. To watch it again: cabestan watch 3\n")


def test_a_server_that_stays_away_is_told(cli: Cli, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_AWAY_SECONDS", 0.05)
    server.series("GET", AT, RUNNING, refusal(503, "engine_unavailable", "Restarting."))
    assert cli("watch", "3").code == EXIT_UNREACHABLE


@pytest.fixture
def clone(server: FakeServer, tmp_path: Path) -> str:
    """The working folder is one, of demo/hello; gives its commit."""
    for command in (
        ["init", "-q", "-b", "main", "."],
        ["remote", "add", "origin", f"{server.url}/demo/hello.git"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "x"],
        ["tag", "v1"],
    ):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    found = subprocess.run(["git", "rev-parse", "HEAD"], check=True, cwd=tmp_path, capture_output=True, text=True)
    return found.stdout.strip()


@pytest.mark.parametrize("words", [[], ["main"], ["v1"]])
def test_in_a_clone_the_pipeline_of_its_commit_is_waited_for(
    cli: Cli, server: FakeServer, clone: str, words: list[str]
) -> None:
    where = "/projects/demo/hello/pipelines"
    none, there = {"items": [], "next": None}, {"items": [PIPELINE, {**PIPELINE, "id": 2, "branch": "other"}]}
    server.series("GET", where, none, refusal(503, "engine_unavailable", "Restarting."), none, there)
    server.on("GET", AT, deployed("succeeded"))
    done = cli("watch", *words)
    assert done.code == 0
    assert done.err == f"Waiting for the pipeline of {clone[:12]} …\nRestarting. Trying on for a minute.\n"
    assert server.asked[0] == Asked("GET", f"{where}?commit={clone}")


def test_of_several_the_one_of_the_branch_is_watched(cli: Cli, server: FakeServer, clone: str) -> None:
    server.lists("/projects/demo/hello/pipelines", {**PIPELINE, "id": 4, "branch": "other"}, PIPELINE)
    server.on("GET", AT, deployed("succeeded"))
    assert cli("watch").code == 0
    assert clone


def test_a_commit_that_was_not_pushed_is_told(
    cli: Cli, server: FakeServer, clone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_APPEAR_SECONDS", 0.05)
    server.lists("/projects/demo/hello/pipelines")
    done = cli("watch")
    assert done.code == 1
    assert done.err.endswith(
        f"error: demo/hello has no pipeline for the commit {clone[:12]}.\nhint: Push it: git push\n"
    )


def test_what_is_no_commit_here_is_told(cli: Cli, clone: str) -> None:
    for words in (["watch", "nothing"], ["watch", "--", "--help"]):
        done = cli(*words)
        assert (done.code, done.err.splitlines()[0]) == (2, f"error: There is no commit {words[-1]} here."), clone


def test_ctrl_c_ends_watching_with_130(server: FakeServer) -> None:
    server.on("GET", AT, RUNNING)
    with started("watch", "3") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "◐ running    app\n".encode()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130
