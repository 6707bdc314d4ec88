"""Words that lead on: who does what they say gets on."""

from __future__ import annotations

import pytest
from tests.compose.samples import IMAGE, loaded, refusal, web

ROUTED = (
    "expose: [80]\nlabels:\n  traefik.http.routers.app.rule: Host(`a.example.org`)\n"
    "  traefik.http.routers.app.middlewares: {name}\n"
    "  traefik.http.middlewares.auth.basicauth.users: 'a:$$apr1$$x$$0123456789012345678901'"
)


@pytest.mark.parametrize(
    ("wrong", "remedy", "right"),
    [
        ("stop_grace_period: 30", "Write 30s for seconds", "stop_grace_period: 30s"),
        ("stop_grace_period: '30'", "Write 30s for seconds", "stop_grace_period: 30s"),
        ("healthcheck: {test: a, interval: 10}", "Write 10s for seconds", "healthcheck: {test: a, interval: 10s}"),
        ("restart: false", 'Write "no".', 'restart: "no"'),
        ("restart: true", "Write always.", "restart: always"),
        ("cap_add: [SYS_TIME]", "Remove it", "tty: true"),
        ("build: {context: ., dockerfile_inline: FROM a}", "Write a Dockerfile", "build: {context: .}"),
    ],
)
def test_a_remedy_leads_to_a_file_that_is_deployed(wrong: str, remedy: str, right: str) -> None:
    (finding,) = refusal(web(wrong))
    assert finding.remedy.startswith(remedy)
    assert loaded(web(right))


def test_a_tab_is_told_as_such_at_its_place() -> None:
    (finding,) = refusal(f"services:\n  web:\n    image: {IMAGE}\n\ttty: true\n")
    assert (finding.message, finding.line, finding.column) == ("A tab stands where YAML takes spaces only.", 4, 1)


def test_an_image_whose_variable_is_not_set_is_told_by_its_variable() -> None:
    (finding,) = refusal("services:\n  web:\n    image: ${BACKEND_IMAGE}\n")
    assert finding.message == "image is ${BACKEND_IMAGE}, which is empty here."
    assert finding.remedy.startswith("Set the variable")
    assert loaded("services:\n  web:\n    image: ${BACKEND_IMAGE:-backend}\n")


@pytest.mark.parametrize("line", ["healthcheck: {test: 'curl localhost:$PORT'}", "command: serve $PORT"])
def test_a_variable_of_the_container_is_told_how_to_be_written(line: str) -> None:
    (warning,) = loaded(web(line)).warnings
    assert warning.remedy == "Set it, or write ${PORT:-default}. One of the container itself is $$PORT."
    assert loaded(web(line.replace("$", "$$"))).warnings == ()


@pytest.mark.parametrize("name", ["auth@docker", "auth@swarm", "auth"])
def test_a_middleware_of_the_same_file_is_taken_under_its_providers_name(name: str) -> None:
    assert loaded(web(ROUTED.replace("{name}", name)))
