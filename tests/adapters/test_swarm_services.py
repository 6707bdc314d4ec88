"""The one place where services are made through the API, and the one where stacks are handed over."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cabestan
from cabestan.adapters.swarm_services import create_service
from cabestan.errors import StepFailed

SOURCE = Path(cabestan.__file__).parent
_LOGIN = {"registrytoken": "may pull"}


def _made(environment: list[str], *words: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    answer = SimpleNamespace(raise_for_status=lambda: None)

    def post(url: str, **sent: Any) -> SimpleNamespace:
        told.append(sent)
        assert url == "http+docker://localhost/v1.41/services/create"
        return answer

    api = SimpleNamespace(base_url="http+docker://localhost", api_version="1.41", timeout=60, post=post)
    template = {"ContainerSpec": {"Env": environment, "Command": ["sh"], "Args": list(words)}}
    create_service(SimpleNamespace(api=api), "cab-job-1-1", template, {"Labels": {"a": "b"}}, _LOGIN)  # type: ignore[arg-type]
    return told


def test_a_service_gets_its_texts_as_they_are() -> None:
    (made,) = _made(["A={{.Node.ID}}"], "{{x}}")
    assert made["json"] == {
        "TaskTemplate": {"ContainerSpec": {"Env": ['A={{"{{"}}.Node.ID}}'], "Command": ["sh"], "Args": ["{{x}}"]}},
        "Name": "cab-job-1-1",
        "Labels": {"a": "b"},
    }


def test_nodes_pull_its_image_with_what_they_are_given() -> None:
    (made,) = _made([])
    assert json.loads(base64.urlsafe_b64decode(made["headers"]["X-Registry-Auth"])) == _LOGIN


@pytest.mark.parametrize(
    ("environment", "words", "told"),
    [
        (["A=1", "LONG=" + "x" * 131_067], (), "the variable LONG has 131,072 bytes"),
        (["A=1"], ("x" * 131_072,), "a word of its command has 131,072 bytes"),
        ([f"V{n}=" + "x" * 65_000 for n in range(11)], (), r"V10 \(65,004\)"),
    ],
)
def test_what_is_too_large_is_told_and_not_tried(environment: list[str], words: tuple[str, ...], told: str) -> None:
    with pytest.raises(StepFailed, match=told) as failed:
        _made(environment, *words)
    assert "file" in failed.value.remedy


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("api_version}/services/create", "adapters/swarm_services.py"),
        ('"stack", "deploy"', "adapters/stack_client.py"),
        ("yaml.emit(", "compose/stack.py"),
    ],
)
def test_every_specification_goes_one_way(words: str, place: str) -> None:
    """Whoever makes a service elsewhere hands over templates: go through here."""
    found = [str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if words in path.read_text()]
    assert found == [place]
