"""Whole files: what a Compose file becomes, and that Docker reads it as it is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.compose.engine_client import read_stack
from tests.compose.samples import SECRETS, context

from cabestan.compose.load import Loaded, load
from cabestan.compose.placeholder import hide_placeholders, secret_placeholder
from cabestan.compose.render import render
from cabestan.compose.stack import Stack

CASES = sorted((Path(__file__).parent / "cases").iterdir())
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _load(case: Path) -> Loaded:
    variables = json.loads((case / "variables.json").read_text())
    variables |= {name: secret_placeholder(name) for name in SECRETS}
    return load((case / "docker-compose.yml").read_text(), "docker-compose.yml", variables)


@cases
def test_a_file_becomes_this_stack(case: Path) -> None:
    stack = render(_load(case).compose, context())

    assert stack.to_yaml() == (case / "expected.yml").read_text()


@cases
def test_a_stored_stack_is_read_back(case: Path) -> None:
    stack = render(_load(case).compose, context())

    assert Stack.from_yaml(stack.to_yaml()) == stack


@cases
def test_docker_reads_the_stack_as_it_is_meant(case: Path) -> None:
    compose = _load(case).compose

    stack = read_stack(case / "expected.yml", {f"CABESTAN_SECRET_{name}": f"(secret {name})" for name in SECRETS})

    services = {
        service.name: {
            "command": list(service.command),
            "entrypoint": list(service.entrypoint),
            "environment": {key: hide_placeholders(value) for key, value in service.environment.items()},
            "replicas": str(service.deploy.replicas or ""),
        }
        for service in compose.services
        if not service.runs_once and not service.by_the_clock
    }
    assert services == {
        name: {
            "command": service.get("command", []),
            "entrypoint": service.get("entrypoint", []),
            "environment": service.get("environment", {}),
            "replicas": service["deploy"].get("replicas", ""),
        }
        for name, service in stack["services"].items()
    }
