"""The mistakes that everybody makes: what the page and the command say first, in three lines, is enough."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engine.fakes import failing
from tests.engine.world import COMPOSE, FILES, World
from tests.web.client import asking, token

from cabestan.cli import client_config
from cabestan.cli.main import main
from cabestan.domain.container_words import ContainerWords, FailedCheck, Listener
from cabestan.domain.observed import Condition, LastExit, Seen, SeenService
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.engine.building import intake
from cabestan.store import observations

TYPO = "FROM cabestan/python:3.11\nRNU pip install flask\nUSER 1001\n"
#: the first three lines of what a page calls out, and of what a command writes
Both = tuple[Callable[[str], list[str]], Callable[..., list[str]]]
Told = Callable[[], AbstractContextManager[Both]]
_BUILD_LOG = Path(__file__).parents[1] / "pipeline" / "build_logs" / "run.txt"
_CALL = re.compile(r'<div class="call call-[a-z]+" id="(?:why|wrong-\w+)">(.*?)</div>', re.DOTALL)
_END = re.compile(r"\n|</p>|</pre>")
_TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def told(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Told:
    """The first three lines of a page's first call, and those of a command's output."""
    world.user("boss", admin=True)
    monkeypatch.setenv("CABESTAN_CLIENT_CONFIG", str(tmp_path / "client.toml"))
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def both() -> Iterator[Both]:
        with asking(world, **token("boss")) as client:
            client_config.write(str(client.base_url).rstrip("/"), "token-of-boss")

            def page(address: str) -> list[str]:
                text = client.get(address).text
                found = _CALL.search(text)
                assert found, text
                lines = (html.unescape(_TAG.sub("", line)).strip() for line in _END.split(found[1]))
                return [line for line in lines if line][:3]

            def command(*arguments: str) -> list[str]:
                capfd.readouterr()
                monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
                with pytest.raises(SystemExit):
                    main(arguments)
                return [line.strip() for line in capfd.readouterr().out.splitlines()][:3]

            yield page, command

    return both


def pushed(world: World, project: Project, files: dict[str, str]) -> None:
    world.push(project, files)
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()


def test_a_typo_in_the_dockerfile(world: World, told: Told) -> None:
    pushed(
        world, world.project(), FILES | {"Dockerfile": "FROM cabestan/python:3.11\nRNU pip install flask\nUSER 1001\n"}
    )
    words = "Dockerfile:2:1 RNU is no instruction of a Dockerfile."
    with told() as (page, command):
        assert page("/shop/api/pipelines/1")[0] == f"lint: {words}"
        assert page("/shop/api/pipelines/1")[1].endswith("| RNU pip install flask")
        assert command("pipeline", "show", "1")[0] == f"✗ failed: lint: {words}"
        assert command("pipeline", "show", "1")[1].endswith("| RNU pip install flask")


def test_a_run_that_fails(world: World, told: Told) -> None:
    world.jobs.exits[("build", 1)] = Exit(1)
    world.jobs.output["build"] = _BUILD_LOG.read_bytes()
    pushed(world, world.project(), FILES)
    command_line = (
        'echo fetching things; for i in 1 2 3; do echo "step $i of npm"; done; echo "npm ERR! missing script: '
    )
    words = f'Step 3/4 of the Dockerfile ended with exit code 3: RUN {command_line}biuld" >&2; exit 3'
    said = ["npm ERR! missing script: biuld", "fetching things"]
    with told() as (page, command):
        assert page("/shop/api/jobs/2") == [words, *said]
        assert page("/shop/api/pipelines/1") == [f"build: {words}", *said]
        assert command("job", "show", "2") == [f"✗ failed: {words}", *said]
        assert command("pipeline", "show", "1") == [f"✗ failed: build: {words}", *said]


def test_its_log_opens_at_the_failing_step_s_own_last_lines(world: World) -> None:
    world.user("boss", admin=True)
    world.jobs.exits[("build", 1)] = Exit(1)
    world.jobs.output["build"] = b"noise\n" * 1000 + _BUILD_LOG.read_bytes()
    pushed(world, world.project(), FILES)
    with asking(world, **token("boss")) as client:
        text = client.get("/shop/api/jobs/2").text
        job = client.get("/api/v1/jobs/2").json()
    assert job["log_line"] == 1025
    assert ' data-at="1025"' in text
    assert '<div class="log-row" id="L1025"><a class="log-number" href="#L1025"' in text
    assert 'id="L1"' not in text, "the noise before it is fetched when it is looked at"


def test_a_broken_compose_file(world: World, told: Told) -> None:
    pushed(world, world.project(), FILES | {"docker-compose.yml": COMPOSE.replace("    image:", "    imag:")})
    line = next(n for n, text in enumerate(COMPOSE.splitlines(), 1) if "    image:" in text)
    with told() as (page, command):
        first, second, _ = page("/shop/api/pipelines/1")
        assert first.startswith(f"lint: docker-compose.yml:{line}:")
        assert "imag" in first
        assert second.startswith(f"{line} |     imag:")
        assert command("pipeline", "show", "1")[:2] == [f"✗ failed: {first}", second]


def test_a_crash_at_the_start(world: World, told: Told) -> None:
    world.stacks.states.append(failing("s", "app", "task: non-zero exit (1)"))
    world.stacks.words = "KeyError: 'DATABASE_URL'"
    world.released(world.project())
    words = ["app does not come up: its container ended with exit code 1.", "KeyError: 'DATABASE_URL'"]
    remedy = "{} shows what it said before."
    with told() as (page, command):
        before = remedy.format("cabestan logs -e staging app")
        assert page("/shop/api/deployments/1") == [*words, before]
        before = remedy.format("`cabestan logs -e staging app`")
        assert command("deployment", "show", "1") == [f"✗ failed: {words[0]}", words[1], before]


def test_what_is_never_healthy(world: World, told: Told) -> None:
    world.stacks.states.append(failing("s", "app", "task: non-zero exit (137): dockerexec: unhealthy container"))
    world.stacks.container = ContainerWords((), FailedCheck("curl -f localhost/up", 22, 3, ("The URL returned 404",)))
    world.released(world.project())
    asked = "app is not healthy: its health check was asked 3 times and ended with exit code 22: curl -f localhost/up"
    remedy = "It is asked within the container; healthcheck in the Compose file says what, how often, from when on."
    with told() as (page, command):
        assert page("/shop/api/deployments/1") == [asked, "The URL returned 404", remedy]
        assert command("deployment", "show", "1") == [f"✗ failed: {asked}", "The URL returned 404", remedy]


def test_a_wrong_port(world: World, told: Told) -> None:
    world.wrong_routes["staging-api-shop.localhost"] = "staging-api-shop.localhost/ answers 502"
    world.stacks.listening = (Listener(3000),)
    world.released(world.project())
    words = [
        "app answers on nothing at port 8000; it listens on 3000.",
        "staging-api-shop.localhost/ answers 502, asked for 1 s",
        "Set traefik.port to the port that it listens on, or have it listen on 8000.",
    ]
    with told() as (page, command):
        assert page("/shop/api/deployments/1") == words
        assert command("deployment", "show", "1") == [f"✗ failed: {words[0]}", *words[1:]]


def test_what_dies_later(world: World, told: Told) -> None:
    project = world.project()
    world.released(project)
    staging, now = world.environment(project, "staging"), world.clock()
    died = LastExit(now - timedelta(seconds=5), 1, words="panic: no room")
    seen = Seen(Condition.DOWN, now, (SeenService("app", Condition.DOWN, 1, 0, 2, died),))
    with world.services.database.writing() as tx:
        observations.put(tx, staging.id, seen)
    words = ["app is down: 0 of 1 run, restarted 2 × in 2 minutes, exit code 1.", "panic: no room"]
    with told() as (page, command):
        first, second, _ = page("/shop/api/environments/staging")
        assert (first.partition(" · ")[0], second) == (words[0], words[1])
        assert command("environment", "show", "staging", "-p", "shop/api")[:2] == [f"✗ {words[0]}", words[1]]
