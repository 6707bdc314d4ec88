"""What is deployed is seen as it does: on the API within moments, as an alert, and what it said last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import SMALL, unbuilt

from cabestan.bootstrap import open_store
from cabestan.config import Settings
from cabestan.domain.target import LOCAL
from cabestan.engine.cluster import local_target
from cabestan.engine.observing.uptime import Uptime

pytestmark = pytest.mark.integration
#: dies as it is asked to
_APP = """\
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    status = 200
    def do_GET(self):
        if self.path.startswith("/answer/"):
            Handler.status = int(self.path.rpartition("/")[2])
        self.send_response(Handler.status)
        self.end_headers()
        self.wfile.write(b"here")
        self.wfile.flush()
        if self.path.startswith("/end/"):
            print("the reason is", self.path, flush=True)
            os._exit(int(self.path.rpartition("/")[2]))
        if self.path == "/eat":
            print("hungry", flush=True)
            eaten = [b"x" * 1000000 for _ in range(1000)]
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
#: `loops` and `sick` have a volume, so that what is wrong with them outlives their containers
_COMPOSE = (
    SMALL["docker-compose.yml"]
    + """\
    restart: on-failure
    deploy: {resources: {limits: {memory: 60M}}}
  loops:
    image: cabestan/python:3.11
    user: "1001"
    command: [sh, -c, "while ! [ -e /data/end ]; do sleep 0.2; done; echo the end came; exit 7"]
    volumes: ["loops:/data"]
    deploy: {restart_policy: {delay: 1s}}
  sick:
    image: cabestan/python:3.11
    user: "1001"
    command: [sleep, infinity]
    stop_grace_period: 1s
    volumes: ["sick:/data"]
    healthcheck: {test: "! [ -e /data/sick ] || { echo it has a fever; false; }", interval: 1s, retries: 1}
  three:
    image: cabestan/python:3.11
    user: "1001"
    command: [sleep, infinity]
    init: true
    stop_grace_period: 1s
    deploy: {replicas: 3}
volumes: {loops: {}, sick: {}}
"""
)


@pytest.fixture
def work(platform: Platform) -> Work:
    made = platform.make_project(unbuilt(SMALL | {"app.py": _APP, "docker-compose.yml": _COMPOSE}))
    made.deployed(180)
    return made


def seen(platform: Platform, work: Work) -> Any:
    (staging, _) = platform.get(f"/projects/{work.name}/environments")["items"]
    return staging | {"services": {service["name"]: service for service in staging["services"]}}


def comes_to_be(platform: Platform, work: Work, what: str, state: str, seconds: float = 30) -> Any:
    """The environment, or one of its services."""

    def found() -> Any:
        staging = seen(platform, work)
        one = staging if what == "staging" else staging["services"][what]
        return one["state"] == state and one

    return eventually(found, seconds, f"{what} is {state}", 0.1)


def alert_of(platform: Platform, work: Work) -> Any:
    return next((one for one in platform.get("/alerts")["items"] if one["project"] == work.name), None)


def containers(platform: Platform, work: Work, service: str) -> list[Any]:
    filters = {"label": [f"cabestan.project={work.name}", f"cabestan.service={service}"]}
    return platform.client.containers.list(filters=filters, ignore_removed=True)


@contextmanager
def asking_routes(platform: Platform) -> Iterator[Uptime]:
    """What the server does each minute, whenever the test wants it: beside the server, through the same router."""
    given = {
        k.removeprefix("CABESTAN_").lower(): v for k, v in platform.environment.items() if k.startswith("CABESTAN_")
    }
    settings = Settings(**{name: value for name, value in given.items() if name in Settings.model_fields})  # type: ignore[arg-type]
    clusters = {LOCAL: SimpleNamespace(target=local_target(settings))}
    with open_store(settings) as database:
        of = {"settings": settings, "database": database, "clusters": clusters, "now": lambda: datetime.now(UTC)}
        uptime = Uptime(SimpleNamespace(**of))  # type: ignore[arg-type]
        yield uptime
        uptime.stop()


def test_what_is_deployed_is_seen_as_it_does(platform: Platform, work: Work) -> None:
    comes_to_be(platform, work, "staging", "serving")

    containers(platform, work, "three")[0].kill()
    three = comes_to_be(platform, work, "three", "degraded")
    assert (three["wanted"], three["running"], three["last_exit"]["code"]) == (3, 2, 137)
    comes_to_be(platform, work, "three", "serving")

    containers(platform, work, "loops")[0].exec_run(["touch", "/data/end"])
    containers(platform, work, "sick")[0].exec_run(["touch", "/data/sick"])
    loops = eventually(
        lambda: (one := seen(platform, work)["services"]["loops"])["restarts"] >= 3 and one, 40, "it loops", 0.2
    )
    assert (loops["last_exit"]["code"], loops["last_exit"]["words"]) == (7, "the end came")
    sick = eventually(lambda: (one := seen(platform, work)["services"]["sick"])["last_exit"] and one, 40, "sick", 0.2)
    assert "it has a fever" in sick["last_exit"]["why"]
    assert seen(platform, work)["state"] == "degraded", "who asks is answered"
    raised = eventually(lambda: alert_of(platform, work), 40, "an alert", 0.5)
    assert "loops: " in raised["message"]

    platform.comes_to_say(work.host("staging"), "here", path="/eat")
    eaten = eventually(lambda: seen(platform, work)["services"]["app"]["last_exit"], 30, "it eats", 0.2)
    assert (eaten["code"], eaten["why"]) == (137, "it used more memory than it may")
    comes_to_be(platform, work, "app", "serving")

    platform.comes_to_say(work.host("staging"), "here", path="/answer/500")
    with asking_routes(platform) as uptime:
        uptime.ask_all()
        assert seen(platform, work)["services"]["app"]["state"] == "serving", "once is nothing"
        uptime.ask_all()
        wrong = comes_to_be(platform, work, "app", "down")
        assert (wrong["running"], wrong["unanswered"]) == (1, [f"{work.host('staging')}/ answers 500"])
        eventually(lambda: "answers 500" in alert_of(platform, work)["message"], 20, "the alert tells it", 0.2)
        platform.comes_to_say(work.host("staging"), "here", path="/answer/200")
        uptime.ask_all()
        comes_to_be(platform, work, "app", "serving")
        eventually(lambda: "answers 500" not in alert_of(platform, work)["message"], 20, "the alert is over", 0.2)
    told = platform.get(f"/projects/{work.name}/environments/staging")
    (route,), (outage, *_) = told["availability"], told["outages"]
    assert (route["down"], route["day"]["down_minutes"] >= 2, route["day"]["median"] > 0) == (False, True, True)
    assert (outage["reason"], outage["ended_at"] is not None) == (f"{work.host('staging')}/ answers 500", True)

    platform.comes_to_say(work.host("staging"), "here", path="/end/0")
    down = comes_to_be(platform, work, "staging", "down")["services"]["app"]
    assert (down["wanted"], down["running"], down["last_exit"]["code"]) == (1, 0, 0)
    assert "the reason is /end/0" in down["last_exit"]["words"]
    page = eventually(lambda: (a := platform.ask(work.host("staging"))).status_code == 503 and a, 20, "the page", 0.2)
    assert page.headers["cabestan-route"] == "down"
    assert "This application is down" in page.text
    assert platform.ask_plainly(f"nobody-{work.host('staging')}").status_code == 404
