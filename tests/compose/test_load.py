from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.samples import IMAGE, codes, loaded, refusal, web

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.load import Build, build_contexts, load
from cabestan.compose.model import ComposeFile, Dependency, Ports, Restart, Service
from cabestan.compose.nodes import Spot
from cabestan.compose.order import start_order
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.source import Limits
from cabestan.errors import Invalid

SOMEWHERE = Spot(1, 1, "")


def test_a_file_becomes_a_model_that_knows_its_places() -> None:
    compose = loaded(web("expose: [8000]\nrestart: 'no'\ndepends_on: [db]", "  db: {image: a}\n")).compose

    assert compose == ComposeFile(
        "docker-compose.yml",
        (
            Service(
                "web",
                IMAGE,
                SOMEWHERE,
                expose=(Ports(8000, 8000),),
                restart=Restart("none"),
                depends_on=(Dependency("db", SOMEWHERE),),
            ),
            Service("db", "a", SOMEWHERE),
        ),
    )
    assert compose.services[0].place("restart") == Spot(5, 14, "services.web.restart")
    assert compose.services[1].spot == Spot(7, 3, "services.db")


def test_restart_no_means_the_same_with_and_without_quotes() -> None:
    assert loaded(web("restart: no")).compose == loaded(web("restart: 'no'")).compose


def test_variables_fill_in_typed_values() -> None:
    compose = loaded(web("tty: $TTY\ndeploy: {replicas: '${N:-4}'}"), {"TTY": "true"}).compose

    assert (compose.services[0].tty, compose.services[0].deploy.replicas) == (True, 4)


def test_an_unset_variable_warns_once() -> None:
    found = loaded(web("environment: {A: $MISSING, B: '${MISSING}', C: '${OTHER-}'}"))

    assert [(finding.code, finding.line, finding.path) for finding in found.warnings] == [
        ("variable-unset", 4, "services.web.environment.A")
    ]


def test_errors_in_variables_have_their_place() -> None:
    found = refusal(web("environment:\n  A: ${A:?give it}\n  B: ${"))

    assert [(finding.line, finding.column, finding.path, finding.message) for finding in found] == [
        (5, 10, "services.web.environment.A", "The variable A is required: give it."),
        (6, 10, "services.web.environment.B", "'${' at character 1 is no variable."),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "command: run $KEY",
        "entrypoint: [$KEY]",
        "labels: {a: $KEY}",
        "labels: [$KEY=a]",
        "labels: {traefik.frontend.rule: 'Host:$KEY'}",
        "healthcheck: {test: curl $KEY}",
        "user: $KEY",
        "volumes: ['$KEY:/a']",
        "extra_hosts: ['$KEY:1.2.3.4']",
        "logging: {options: {max-size: $KEY}}",
    ],
)
def test_a_secret_outside_environment_is_refused_by_its_name(lines: str) -> None:
    found = refusal(web(lines), {"KEY": secret_placeholder("API_KEY")})

    shown = [finding for finding in found if finding.code == "secret-shown"]
    assert [(finding.line, "(secret API_KEY)" in finding.message) for finding in shown] == [(4, True)]


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%a\\n10.0.0.1 b", "name"])
def test_a_host_leads_to_a_plain_address(address: str) -> None:
    assert codes(web(f'extra_hosts: ["db:{address}"]')) == [("wrong-value", 4)]


def test_a_secret_cannot_be_an_image() -> None:
    assert ("secret-shown", 1) in codes("services: {a: {image: $KEY}}", {"KEY": secret_placeholder("K")})


@pytest.mark.parametrize("name", ["", "1A", "a b", "a}", "é", "A\n"])
def test_a_secret_needs_a_name_that_a_variable_can_have(name: str) -> None:
    with pytest.raises(Invalid):
        secret_placeholder(name)


@pytest.mark.parametrize("value", ["\ue0ca", "a\ue0caKEY\ue0cb", "\ue0caKEY\ue0cb\ue0caKEY\ue0cb"])
def test_a_variable_that_imitates_a_secret_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="The variable A holds"):
        loaded(web(""), {"A": value})


def test_text_that_grows_by_variables_is_bounded() -> None:
    text = web("environment: {" + ", ".join(f"A{n}: $X" for n in range(100)) + "}")

    with pytest.raises(ComposeRefused) as refused:
        load(text, "f.yml", {"X": "x" * 60_000})
    assert [finding.code for finding in refused.value.findings] == ["too-large"]
    with pytest.raises(ComposeRefused):
        load(text, "f.yml", {"X": "x"}, limits=Limits(max_bytes=100))


def test_services_start_after_those_they_depend_on() -> None:
    text = "services:\n  a: {image: i, depends_on: [b, c]}\n  b: {image: i, links: [c]}\n  c: {image: i}\n"

    assert start_order(loaded(text).compose) == ("c", "b", "a")


def test_a_circle_is_refused_with_its_line() -> None:
    text = "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i}\n  c: {image: i, depends_on: [d]}\n"
    text += "  d:\n    image: i\n    depends_on:\n      - c\n"

    (finding,) = refusal(text)

    assert (finding.code, finding.line) == ("dependency-circle", 4)
    assert finding.message in (
        "The services wait for each other: c → d → c.",
        "The services wait for each other: d → c → d.",
    )


def test_builds_are_found_without_variables() -> None:
    text = (
        "services:\n  a: {build: ., image: '${I:?}/a'}\n  b: {image: x}\n"
        "  c:\n    build: {context: ./web, dockerfile: Dockerfile.web}\n"
    )

    assert build_contexts(text, "f.yml") == (
        Build("a", ".", "Dockerfile", "${I:?}/a"),
        Build("c", "./web", "Dockerfile.web", ""),
    )


@pytest.mark.parametrize("path", ["..", "/etc", "a/../../b", "-f", "~", "https://example.org/a.git", "$A"])
def test_a_build_outside_the_repository_is_refused(path: str) -> None:
    with pytest.raises(ComposeRefused):
        build_contexts(f"services: {{a: {{build: '{path}'}}}}", "f.yml")


@given(
    st.text(alphabet="servicesimagevolumes: {}[]&*<-\n$'\"", max_size=120),
    st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=5),
)
def test_any_text_is_loaded_or_refused(text: str, value: str) -> None:
    for candidate in (text, f"services: {text}", web(text)):
        with suppress(ComposeRefused):
            loaded(candidate, {"s": value})
