"""What the client of Docker is given with a stack, by a stand-in that writes down what it got."""

import json
import os
from pathlib import Path

import pytest
import yaml
from tests.compose.samples import rendered, web

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.compose.placeholder import secret_placeholder
from cabestan.errors import StepFailed

_CLIENT = """#!/usr/bin/env python3
import json, os, sys, pathlib
text = sys.stdin.read()
place = pathlib.Path(__file__).parent / "got.json"
place.write_text(json.dumps({"text": text, "words": sys.argv, "environment": dict(os.environ)}))
if "refuse" in text:
    sys.exit("invalid: " + text)
"""
_NAMES = [f"KEY_{number}" for number in range(40)]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(_CLIENT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program.parent / "got.json"


def _deploy(folder: Path, secrets: dict[str, str]) -> None:
    placeholders = {name: secret_placeholder(name) for name in secrets}
    lines = "\n".join(f"  {name}: ${{{name}}}" for name in secrets)
    stack = rendered(web(f"environment:\n{lines}"), placeholders, secrets=frozenset(secrets))
    stacks = Stacks(Nodes(Engine("unix:///nowhere.sock")), "t", RegistryLogin("127.0.0.1:5600", "x"), folder / "locks")
    stacks.deploy("s", stack.to_yaml(), secrets, 60)


def test_values_of_secrets_of_any_size_are_in_its_input_alone(tmp_path: Path, client: Path) -> None:
    """40 of 60 KB are more than an environment takes."""
    secrets = {name: f"{{{{.{name}}}}} ${name}" + "v" * 60_000 for name in _NAMES}
    _deploy(tmp_path, secrets)
    got = json.loads(client.read_text())
    (service,) = yaml.safe_load(got["text"])["services"].values()
    assert service["environment"] == {name: f'{{{{"{{{{"}}}}.{name}}}}} $${name}' + "v" * 60_000 for name in _NAMES}
    assert not [name for name in got["environment"] if "SECRET" in name]
    assert "v" * 100 not in json.dumps([got["words"], got["environment"]])
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "got.json"]
    assert [path for path in written if "v" * 100 in path.read_text()] == []


def test_words_of_a_refusal_show_no_value_in_any_form(tmp_path: Path, client: Path) -> None:
    with pytest.raises(StepFailed) as failed:
        _deploy(tmp_path, {"KEY": "refuse {{this}} $value"})
    assert client.exists()
    assert "[secret]" in failed.value.message
    assert not [part for part in ("this", "value") if part in failed.value.message]


def test_a_secret_without_a_value_is_no_empty_one(tmp_path: Path, client: Path) -> None:
    stack = rendered(web("environment: {A: '${API_KEY}', B: '${DB_PASSWORD}'}"), _both())
    stacks = Stacks(
        Nodes(Engine("unix:///nowhere.sock")), "t", RegistryLogin("127.0.0.1:5600", "x"), tmp_path / "locks"
    )
    with pytest.raises(StepFailed, match="DB_PASSWORD, which has no value"):
        stacks.deploy("s", stack.to_yaml(), {"API_KEY": "x"}, 60)
    assert not client.exists()


def _both() -> dict[str, str]:
    return {name: secret_placeholder(name) for name in ("API_KEY", "DB_PASSWORD")}
