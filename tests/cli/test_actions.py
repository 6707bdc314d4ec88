"""Restart, stop, start and scale at the command line."""

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer
from tests.cli.terminal import on_a_terminal
from tests.cli.things import DEPLOYMENT, ENVIRONMENT, STEP

E = "/projects/demo/hello/environments/staging"
IN = ("-p", "demo/hello", "-e", "staging")
QUEUED = {**DEPLOYMENT, "kind": "stop", "what": "Stop of web", "status": "queued", "steps": []}
DONE = {**QUEUED, "status": "succeeded", "steps": [{**STEP, "text": "Stop: web"}]}


@pytest.mark.parametrize(
    ("words", "address", "body"),
    [
        (("restart",), "restart", {"services": []}),
        (("restart", "web", "db"), "restart", {"services": ["web", "db"]}),
        (("start", "web"), "start", {"services": ["web"]}),
        (("stop", "web"), "stop", {"services": ["web"]}),
        (("scale", "web=3", "db="), "scale", {"replicas": {"web": 3, "db": None}}),
        (("scale", "web=0"), "scale", {"replicas": {"web": 0}}),
    ],
)
def test_it_is_asked_for_and_waited_for(
    cli: Cli, server: FakeServer, words: tuple[str, ...], address: str, body: dict[str, object]
) -> None:
    server.on("POST", f"{E}/{address}", QUEUED)
    server.series("GET", "/deployments/4", QUEUED, DONE)
    done = cli(*words, *IN)
    assert (done.code, done.err) == (0, "✓ succeeded  Stop: web  (42 s)\n")
    assert "what         Stop of web\n" in done.out
    assert server.asked[0] == Asked("POST", f"{E}/{address}", body)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["stop"], "Stop all of demo/hello on staging? [y/N]"),
        (["stop", "web"], "Stop web of demo/hello on staging? [y/N]"),
        (["scale", "web=0", "db=2"], "Stop web of demo/hello on staging? [y/N]"),
    ],
)
def test_at_a_terminal_it_asks_before_it_stops(server: FakeServer, words: list[str], question: str) -> None:
    done = on_a_terminal([*words, *IN], typed=[("[y/N]", "n\n")])
    assert (done.code, question in done.written, server.asked) == (1, True, [])


@pytest.mark.parametrize("number", ["web", "web=x", "=3", "web=-1", "web=1.5"])
def test_what_is_no_number_is_refused_before_anything_is_asked(cli: Cli, server: FakeServer, number: str) -> None:
    done = cli("scale", number, *IN)
    assert (done.code, "such as web=3" in done.err, server.asked) == (2, True, [])


def test_scale_without_a_service_says_how_it_is_written(cli: Cli) -> None:
    done = cli("scale", *IN)
    assert (done.code, "web=3" in done.err) == (2, True)


def test_an_environment_shows_what_is_kept(cli: Cli, server: FakeServer) -> None:
    kept = {"everything": False, "stopped": ["db"], "replicas": {"web": 3}}
    server.on("GET", E, {**ENVIRONMENT, "kept": kept})
    assert "db stopped, web 3 replicas\n" in cli("environment", "show", "staging", "-p", "demo/hello").out
    server.on("GET", E, {**ENVIRONMENT, "kept": {**kept, "everything": True}})
    assert "all stopped, web 3 replicas\n" in cli("environment", "show", "staging", "-p", "demo/hello").out
