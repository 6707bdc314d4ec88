"""The Compose files, as JSON, which is YAML too."""

import json
from pathlib import Path
from typing import Any

IMAGE = "cabestan/python:3.11"
_ONE = "import signal; signal.signal(15, lambda *_: exit()); signal.pause()"
_CHECK = "import socket; socket.create_connection(('127.0.0.1', 8000), 1)"


def web(*, healthcheck: bool) -> dict[str, Any]:
    """The web application behind a route."""
    program = (Path(__file__).parent / "web.py").read_text().replace("$", "$$")
    service = _service(program) | {
        "expose": ["8000"],
        "labels": {
            "traefik.enable": "true",
            "traefik.port": "8000",
            "traefik.frontend.rule": "Host:${CI_ENVIRONMENT_DOMAIN}",
        },
    }
    if healthcheck:
        test = ["CMD", "python3", "-c", _CHECK]
        service["healthcheck"] = {"test": test, "interval": "1s", "timeout": "2s", "retries": 3}
    return service


def one_service() -> dict[str, str]:
    """A project's files: one service that says of itself that it is healthy."""
    return _files({"app": web(healthcheck=True)})


def replicas(number: int) -> dict[str, str]:
    """The web application, several times."""
    return _files({"app": web(healthcheck=False) | {"deploy": {"replicas": number}}})


def five_services() -> dict[str, str]:
    """One behind a route, four that only run."""
    workers = {f"worker{number}": _service(_ONE) for number in range(1, 5)}
    return _files({"app": web(healthcheck=False)} | workers)


def by_the_clock(count: int) -> dict[str, str]:
    """So many services that print the time each minute, and one that stays."""
    labels = {
        "sh.factory.cronjob.schedule": "* * * * *",
        "sh.factory.cronjob.command": "date +%s.%N",
        "sh.factory.cronjob.overlap": "allow",
    }
    ticks = {f"tick{number}": _service(_ONE) | {"labels": labels} for number in range(count)}
    return _files({"app": _service(_ONE)} | ticks)


def saying(count: int, program: str) -> dict[str, str]:
    """So many services that run a program which talks."""
    return _files({f"say{number}": _service(program) for number in range(count)})


def one_image() -> dict[str, str]:
    """A project that only builds, and deploys nothing."""
    return {"Dockerfile": "FROM cabestan/debian:12\n"}


def _service(program: str) -> dict[str, Any]:
    return {
        "image": IMAGE,
        "user": "1001",
        "command": ["python3", "-c", program],
        "environment": {"MODE": "${MODE:-graceful}", "ROUND": "${ROUND:-0}"},
    }


def _files(services: dict[str, Any]) -> dict[str, str]:
    return {"docker-compose.yml": json.dumps({"services": services}, indent=1)}
