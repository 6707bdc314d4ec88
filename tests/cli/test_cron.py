"""Schedules and what runs once, at the command line."""

from typing import Any

import pytest
from starlette.responses import Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer, stream
from tests.cli.test_job_log import end_event, log_event
from tests.cli.things import DEPLOYMENT, RUN, SCHEDULE

S = "/projects/demo/hello/schedules"
ON = ["-e", "staging", "-p", "demo/hello"]


@pytest.mark.parametrize(
    ("command", "asked", "answer"),
    [
        ("run", Asked("POST", "/schedules/5/run", {}), RUN),
        ("pause", Asked("POST", "/schedules/5/pause", {}), SCHEDULE),
        ("resume", Asked("POST", "/schedules/5/resume", {}), SCHEDULE),
    ],
)
def test_a_schedule_is_found_by_its_service_and_environment(
    cli: Cli, server: FakeServer, command: str, asked: Asked, answer: dict[str, Any]
) -> None:
    server.lists(S, SCHEDULE)
    server.on(asked.method, asked.path, answer)
    done = cli("cron", command, "nightly", *ON, "--json")
    assert (done.code, done.err, done.json) == (0, "", answer)
    assert server.asked == [Asked("GET", f"{S}?environment=staging"), asked]


def test_a_schedule_that_is_not_there_is_refused_with_those_that_are(cli: Cli, server: FakeServer) -> None:
    server.lists(S, SCHEDULE)
    done = cli("cron", "run", "daily", *ON)
    assert (done.code, done.out) == (3, "")
    assert done.err == "error: staging has no schedule daily.\nhint: There are: nightly.\n"


def test_the_history_of_a_schedule_is_listed(cli: Cli, server: FakeServer) -> None:
    server.lists(S, SCHEDULE)
    server.lists("/schedules/5/runs", RUN)
    assert cli("cron", "history", "nightly", *ON, "--json").json == [RUN]
    assert "succeeded" in cli("cron", "history", "nightly", *ON).out


def test_what_a_paused_schedule_waits_for_is_shown(cli: Cli, server: FakeServer) -> None:
    server.lists(S, SCHEDULE | {"paused_by": "ada", "next_due": None})
    assert "paused by ada" in cli("cron", "list", "-p", "demo/hello").out


def test_a_runs_log_is_written_and_followed(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/runs/9/log", Response(b"hello\n"))
    assert cli("cron", "log", "9").out == "hello\n"
    server.on("GET", "/runs/9/log/stream", stream(log_event(0, "hello\n"), end_event("failed")))
    done = cli("cron", "log", "9", "--follow")
    assert (done.code, done.out, done.err) == (1, "hello\n", "Run 9 failed.\n")


def test_running_now_and_following_gives_the_runs_end_as_exit_code(cli: Cli, server: FakeServer) -> None:
    server.lists(S, SCHEDULE)
    server.on("POST", "/schedules/5/run", RUN)
    server.on("GET", "/runs/9/log/stream", stream(log_event(0, "hello\n"), end_event("succeeded")))
    done = cli("cron", "run", "nightly", *ON, "--follow")
    assert (done.code, done.out) == (0, "hello\n")


def test_what_a_deployment_ran_once_is_written_one_after_the_other(cli: Cli, server: FakeServer) -> None:
    once = [RUN | {"id": key, "service": name} for key, name in ((1, "migrate"), (2, "seed"))]
    server.on("GET", "/deployments/4", DEPLOYMENT | {"runs": once})
    for key, text in ((1, b"one\n"), (2, b"two\n")):
        server.on("GET", f"/runs/{key}/log", Response(text))
    done = cli("deployment", "log", "4")
    assert (done.code, done.out, done.err) == (0, "one\ntwo\n", "migrate:\nseed:\n")
    assert cli("deployment", "log", "4", "seed").out == "two\n"
    assert cli("deployment", "log", "4", "other").err == "Deployment 4 did not run other.\n"


def test_following_a_deployment_waits_for_what_comes_and_stops_at_a_failure(cli: Cli, server: FakeServer) -> None:
    going = DEPLOYMENT | {"status": "running", "runs": []}
    begun = going | {"runs": [RUN | {"id": 1, "service": "migrate"}]}
    server.series("GET", "/deployments/4", going, begun)
    server.on("GET", "/runs/1/log/stream", stream(log_event(0, "one\n"), end_event("failed")))
    done = cli("deployment", "log", "4", "--follow")
    assert (done.code, done.out, done.err) == (1, "one\n", "migrate:\nmigrate failed.\n")
