"""Job logs: downloaded, and followed over connections that break anywhere."""

import json
import subprocess
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer, refusal, stream
from tests.cli.terminal import on_a_terminal
from tests.cli.things import JOB

from cabestan.cli import follow

TEXT = "grün → 😀\r50 %\x1b[0m\nsecond line\n"
PATH = "/jobs/7/log/stream"


def log_event(offset: int, text: str) -> bytes:
    data = json.dumps({"offset": offset, "text": text}, ensure_ascii=False)
    return f"id: {offset + len(text.encode())}\nevent: log\ndata: {data}\n\n".encode()


def end_event(status: str) -> bytes:
    return f"event: end\ndata: {json.dumps({'status': status})}\n\n".encode()


def test_a_log_is_downloaded_as_it_is(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/jobs/7/log", Response(TEXT.encode(), media_type="text/plain"))
    assert cli("job", "log", "7").out == TEXT
    assert server.asked == [Asked("GET", "/jobs/7/log?offset=0")]


HARMFUL = "\x1b[31mred\x1b]52;c;aGk=\x07 \x1b[2Jand\x9b6n \x1b]0;never ended"


def test_a_terminal_gets_colours_and_text_of_a_log_alone(server: FakeServer) -> None:
    cut = HARMFUL.index("52;c;")
    blocks = (log_event(0, HARMFUL[:cut]), log_event(cut, HARMFUL[cut:]), end_event("succeeded"))
    server.on("GET", "/jobs/7/log", Response(HARMFUL.encode()))
    server.on("GET", "/jobs/7", {**JOB, "status": "succeeded", "reason": ""})
    server.on("GET", PATH, stream(*blocks))
    for more in ((), ("--follow",)):
        assert on_a_terminal(["job", "log", "7", *more]).written == "\x1b[31mred and \x1b[0m"


def test_a_pipe_gets_a_log_as_it_is(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/jobs/7/log", Response(HARMFUL.encode()))
    assert cli("job", "log", "7").out == HARMFUL


def test_a_log_begins_at_a_line(cli: Cli, server: FakeServer) -> None:
    lines: dict[str, Any] = {"lines": [{"number": 2, "offset": 22, "time": None, "text": ""}], "total": 2, "size": 34}
    server.series("GET", "/jobs/7/log/lines", lines, {**lines, "lines": []})
    server.on("GET", "/jobs/7/log", Response(b"x"))
    cli("job", "log", "7", "--from-line", "2")
    cli("job", "log", "7", "--from-line", "3")
    assert server.asked == [
        Asked("GET", "/jobs/7/log/lines?from=2&count=1"),
        Asked("GET", "/jobs/7/log?offset=22"),
        Asked("GET", "/jobs/7/log/lines?from=3&count=1"),
        Asked("GET", "/jobs/7/log?offset=34"),
    ]


def test_a_connection_that_breaks_within_a_character_loses_and_doubles_nothing(cli: Cli, server: FakeServer) -> None:
    first, second = TEXT[:4], TEXT[4:]
    half = log_event(len(first.encode()), second)
    server.series(
        "GET",
        PATH,
        stream(log_event(0, first), half[: half.index("😀".encode()) + 2]),
        refusal(503, "engine_unavailable", "Starting."),
        stream(log_event(0, first), half[:60], half[60:], end_event("succeeded")),
    )
    done = cli("job", "log", "7", "--follow")
    assert (done.code, done.out, done.err) == (0, TEXT, "")
    assert [headers["last-event-id"] for headers in server.headers] == ["0", "5", "5"]


def test_the_job_s_status_is_the_exit_code(cli: Cli, server: FakeServer) -> None:
    codes = {}
    for status in ("succeeded", "failed", "canceled", "skipped"):
        server.on("GET", PATH, stream(end_event(status)))
        done = cli("job", "log", "7", "-f")
        codes[status] = (done.code, done.err)
    assert codes == {
        "succeeded": (0, ""),
        "failed": (1, "Job 7 failed.\n"),
        "canceled": (1, "Job 7 canceled.\n"),
        "skipped": (1, "Job 7 skipped.\n"),
    }


def test_following_begins_at_a_line_too(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/jobs/7/log/lines", {"lines": [{"offset": 22}], "total": 2, "size": 34})
    server.on("GET", PATH, stream(log_event(22, "second line\n"), end_event("succeeded")))
    assert cli("job", "log", "7", "-f", "--from-line", "2").out == "second line\n"
    assert server.headers[-1]["last-event-id"] == "22"


def test_bytes_that_were_no_text_come_back_as_they_were(cli: Cli, server: FakeServer) -> None:
    server.on(
        "GET",
        PATH,
        stream(b'id: 3\nevent: log\ndata: {"offset": 0, "text": "a\\udcff\\n"}\n\n', end_event("succeeded")),
    )
    done = subprocess.run([sys.executable, "-m", "cabestan", "job", "log", "7", "-f"], capture_output=True, check=True)
    assert done.stdout == b"a\xff\n"


def test_a_refusal_ends_following(cli: Cli, server: FakeServer) -> None:
    server.series("GET", PATH, stream(log_event(0, "a")), refusal(403, "forbidden", "No more."))
    done = cli("job", "log", "7", "-f")
    assert (done.code, done.out, done.err) == (3, "a", "error: No more.\n")


def test_a_server_that_stays_away_ends_following(cli: Cli, server: FakeServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(follow.LogFollower.run, "__defaults__", (0.2,))
    server.series("GET", PATH, stream(log_event(0, "a")), refusal(503, "engine_unavailable", "Away."))
    done = cli("job", "log", "7", "-f")
    assert (done.code, done.out, done.err) == (4, "a", "error: Away.\n")


def test_a_long_log_comes_whole_in_large_blocks(server: FakeServer) -> None:
    text = ("x" * 89 + "\n") * 700
    blocks = [log_event(number * len(text), text) for number in range(600)]

    def send(_: Request) -> Response:
        return Response(b"".join([*blocks, end_event("succeeded")]), media_type="text/event-stream")

    server.on("GET", PATH, send)
    done = subprocess.run([sys.executable, "-m", "cabestan", "job", "log", "7", "-f"], capture_output=True, check=True)
    assert done.stdout == text.encode() * 600


def test_a_download_that_breaks_off_is_not_taken_for_the_whole(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/jobs/7/log", lambda _: StreamingResponse(iter([b"abc"]), headers={"content-length": "9"}))
    done = cli("job", "log", "7")
    assert done.code == 4
    assert done.err.startswith("error: The connection broke within the log: ")
