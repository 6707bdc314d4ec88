"""`cabestan logs` and `cabestan journal`."""

import json
from typing import Any

from starlette.responses import Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer, stream
from tests.cli.terminal import on_a_terminal

AT = "/projects/shop/api/environments/staging/logs"
ON = ("-e", "staging", "-p", "shop/api")


def line(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "time": f"2026-11-30T23:13:{number:02}.123456789Z",
        "service": "web",
        "replica": 1,
        "release": 7,
        "kind": "service",
        "stream": "stdout",
        "continued": False,
        "line": text,
        "fields": None,
    } | more


def answer(*lines: dict[str, Any], after: int = 10, before: bool = False) -> dict[str, Any]:
    return {"lines": list(lines), "next": after, "before": before}


def test_lines_have_their_time_and_who_said_them(cli: Cli, server: FakeServer) -> None:
    database = line(2, "ready", service="postgresql", replica=0, kind="managed", release=None)
    server.on("GET", AT, answer(line(1, "one"), database))
    assert cli("logs", *ON).out == (
        "2026-11-30T23:13:01.123Z web.1      one\n2026-11-30T23:13:02.123Z postgresql ready\n"
    )
    assert server.asked == [Asked("GET", f"{AT}?lines=100")]


def test_all_conditions_are_sent(cli: Cli, server: FakeServer) -> None:
    server.on("GET", AT, answer(line(1, "one")))
    cli(
        *(
            "logs",
            *ON,
            "web",
            "db",
            "--since",
            "1h",
            "--until",
            "5m",
            "--regexp",
            "a b",
            "--field",
            "x=1",
            "--field",
            "y=2",
        ),
        *("--replica", "2", "--access", "--stderr", "--lines", "5"),
    )
    assert server.asked == [
        Asked(
            "GET",
            f"{AT}?lines=5&service=web&service=db&since=1h&until=5m&regexp=a+b&field=x%3D1&field=y%3D2&replica=2"
            "&access=true&stderr=true",
        )
    ]


def test_the_journal_shows_ten_lines_and_takes_the_options_of_old(cli: Cli, server: FakeServer) -> None:
    server.on("GET", AT, answer(line(1, "one")))
    cli("journal", *ON)
    cli("journal", *ON, "--lines", "-30", "--regexp", "Handshake")
    assert server.asked == [Asked("GET", f"{AT}?lines=10"), Asked("GET", f"{AT}?lines=30&regexp=Handshake")]


def test_more_than_one_answer_holds_is_fetched_from_the_end(cli: Cli, server: FakeServer) -> None:
    server.series("GET", AT, answer(line(3, "c"), line(4, "d"), before=True), answer(line(1, "a"), line(2, "b")))
    out = cli("logs", *ON, "--lines", "20000").out
    assert [row[-1] for row in out.splitlines()] == ["a", "b", "c", "d"]
    assert server.asked[1] == Asked("GET", f"{AT}?lines=10000&before=3")


def test_json_is_an_object_a_line(cli: Cli, server: FakeServer) -> None:
    server.on("GET", AT, answer(line(1, '{"a": 1}', fields={"a": 1}), line(2, "grün")))
    rows = [json.loads(row) for row in cli("logs", *ON, "--json").out.splitlines()]
    assert [set(row) for row in rows] == [{"time", "service", "replica", "release", "stream", "line", "fields"}] * 2
    assert (rows[0]["fields"], rows[1]["line"]) == ({"a": 1}, "grün")


def test_nothing_found_is_told_beside_the_output(cli: Cli, server: FakeServer) -> None:
    server.on("GET", AT, answer())
    done = cli("logs", *ON)
    assert (done.out, done.code) == ("", 0)
    assert "Nothing of that kind was said in staging." in done.err


def test_what_is_said_is_followed_over_connections_that_break(cli: Cli, server: FakeServer) -> None:
    def event(number: int, text: str) -> bytes:
        return f"id: {number + 1}\nevent: lines\ndata: {json.dumps([line(number, text)])}\n\n".encode()

    server.on("GET", AT, answer(line(9, "before")))
    server.series(
        "GET",
        f"{AT}/stream",
        stream(event(10, "one")),
        stream(event(10, "one"), event(11, "two")),
        Response(json.dumps({"error": {"message": "Your token has ended."}}), 401),
    )
    done = cli("logs", *ON, "--follow", "--since", "1h", "--regexp", "x")
    assert [row.split()[-1] for row in done.out.splitlines()] == ["before", "one", "two"]
    assert (done.code, "Your token has ended." in done.err) == (3, True)
    streams = [asked for asked in server.asked if "stream" in asked.path]
    assert streams[0] == Asked("GET", f"{AT}/stream?regexp=x")


def test_a_terminal_gets_colours_and_text_alone(server: FakeServer) -> None:
    harmful = "\x1b[31mred\x1b]52;c;aGk=\x07 \x1b[2Jand\x9b6n"
    server.on("GET", AT, answer(line(1, harmful, stream="stderr"), line(2, "a\x07b\u202ec")))
    written = on_a_terminal(["logs", *ON]).written
    assert "\x1b[31mred and\x1b[0m" in written
    assert "\x1b[31m!\x1b[0m" in written
    assert "\x07" not in written
    assert "\u202e" not in written
