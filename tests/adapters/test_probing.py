from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cabestan.adapters.certificates import issue, make_authority
from cabestan.adapters.probing import Asking, judge_answer, probe
from cabestan.domain.route import Probe


@pytest.mark.parametrize(
    ("status", "headers", "wrong"),
    [
        (200, {"Cabestan-Route": "0a"}, ""),
        (404, {"Cabestan-Route": "1b"}, ""),
        (404, {"Cabestan-Route": "none"}, "the router has no route for a.org/x"),
        (503, {"Cabestan-Route": "down"}, "the router has no route for a.org/x"),
        (500, {"Cabestan-Route": "1b"}, ""),
        (302, {"Cabestan-Route": "1b"}, ""),
        (401, {"Cabestan-Route": "1b"}, ""),
        (502, {"Cabestan-Route": "1b"}, "a.org/x answers 502"),
        (503, {"Cabestan-Route": "1b"}, "a.org/x answers 503"),
        (504, {"Cabestan-Route": "1b"}, "a.org/x answers 504"),
        (200, {"Cabestan-Route": "2c"}, "a.org/x is answered by another route than its own (200)"),
        (404, {}, "a.org/x is answered by another route than its own (404)"),
    ],
)
def test_an_application_may_answer_what_it_likes_but_the_router_may_not_refuse(
    status: int, headers: dict[str, str], wrong: str
) -> None:
    wanted = Probe("a.org", "/x", marks=("0a", "1b"))
    assert judge_answer(status, httpx.Headers(headers), wanted) == wrong


def test_any_route_may_answer_where_the_plan_is_older_than_marks() -> None:
    assert judge_answer(200, httpx.Headers(), Probe("a.org", "/x")) == ""


def test_a_router_that_is_not_there_gives_no_answer() -> None:
    wanted = Probe("a.org", "/x", "HEAD", (("X-A", "b"),))
    assert probe("127.0.0.1", 1, wanted).startswith("the router gives no answer for HEAD a.org/x: ")


class Application(http.server.BaseHTTPRequestHandler):
    """Tells which connection a request came by, and closes it where it is asked to."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.close_connection = True
            return
        self.send_response(404)
        self.send_header("Content-Length", "2")
        self.send_header(
            "Cabestan-Route", f"{self.headers['Host']} {self.headers['User-Agent']} {self.client_address[1]}"
        )
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = self.path == "/close"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def router(tmp_path: Path) -> Iterator[int]:
    """The port of one that shows a certificate which nobody trusts."""
    now = datetime.now(UTC)
    issued = issue(make_authority("test", ("a.org",), now), ("a.org",), now)
    (tmp_path / "both.pem").write_text(issued.key + issued.certificate.chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_route_is_asked_over_a_connection_that_is_used_again(router: int) -> None:
    with closing(Asking("127.0.0.1", router, 4)) as ask:
        first, second = ask(Probe("a.org", "/x")), ask(Probe("b.org", "/y"))
    assert (first.status, first.trouble, first.reached, first.milliseconds > 0) == (404, "", True, True)
    marks = [answer.mark.split() for answer in (first, second)]
    assert [mark[:2] for mark in marks] == [[f"{name}:{router}", "Cabestan-Uptime"] for name in ("a.org", "b.org")]
    assert marks[0][2] == marks[1][2]


def test_a_connection_that_was_closed_meanwhile_is_no_failure(router: int) -> None:
    with closing(Asking("127.0.0.1", router, 4)) as ask:
        assert [ask(Probe("a.org", path)).status for path in ("/close", "/close", "/x")] == [404] * 3


def test_no_answer_is_told_apart_from_no_router(router: int) -> None:
    with closing(Asking("127.0.0.1", router, 4)) as ask:
        silent = ask(Probe("a.org", "/silent"))
    assert (silent.status, silent.reached, silent.trouble[:14]) == (0, True, "gets no answer")
    with closing(Asking("127.0.0.1", 1, 4)) as ask:
        assert ask(Probe("a.org", "/x")).reached is False
