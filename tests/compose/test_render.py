"""Rendering beside the whole files of test_cases."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.engine_client import read_stack
from tests.compose.samples import DIGEST, IMAGE, context, loaded, rendered, web

from cabestan.compose.braces import meant
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.render import render
from cabestan.compose.source import read_yaml
from cabestan.compose.stack import Stack
from cabestan.errors import Invalid


def _codes(text: str, **changes: object) -> list[tuple[str, int]]:
    variables = {"KEY": secret_placeholder("API_KEY")}
    with pytest.raises(ComposeRefused) as refused:
        rendered(text, variables, **changes)
    return [(finding.code, finding.line) for finding in refused.value.findings]


def test_an_image_that_the_release_does_not_have_is_refused() -> None:
    assert _codes(web(""), images={}) == [("image-unknown", 3)]


@pytest.mark.parametrize("image", [IMAGE, DIGEST[:-1], DIGEST + "a", f"{DIGEST} "])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    assert _codes(web(""), images={IMAGE: image}) == [("image-unknown", 3)]


def test_a_secret_that_the_environment_lacks_is_refused() -> None:
    assert _codes(web("environment:\n  A: $KEY"), secrets=frozenset()) == [("secret-unknown", 5)]


def test_a_name_that_swarm_does_not_take_is_refused() -> None:
    assert _codes(web(""), stack="a" * 60) == [("name-too-long", 2)]


@pytest.mark.parametrize("change", [{"stack": "A"}, {"stack": "a_b"}, {"stack": ""}, {"network": "a b"}])
def test_a_bad_context_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        rendered(web(""), **change)


def test_services_that_end_are_kept_apart_from_those_that_docker_keeps_running() -> None:
    cron = "labels: {sh.factory.cronjob.schedule: '@hourly', sh.factory.cronjob.command: 'echo $$HOME'}"
    stack = rendered(web("", f"  once: {{image: '{IMAGE}', restart: no}}\n  hourly: {{image: '{IMAGE}', {cron}}}\n"))

    assert (stack.services, tuple(stack.once), tuple(stack.cron)) == (("web",), ("once",), ("hourly",))
    assert {key: stack.cron["hourly"][key] for key in ("command", "schedule", "run", "overlap")} == {
        "command": ["bash", "-c", "echo $$HOME"],
        "schedule": "0 * * * *",
        "run": "echo $$HOME",
        "overlap": "forbid",
    }


def test_a_new_release_replaces_no_container_of_a_service_that_did_not_change() -> None:
    text = web("labels: {a: b}\nvolumes: [./a:/a]", f"  once: {{image: '{IMAGE}', restart: no}}\n")

    def tasks(release: int) -> dict[str, object]:
        document = rendered(text, release=release).document
        services = {
            name: {key: value for key, value in service.items() if key != "deploy"}
            for name, service in rendered(text, release=release).all_services.items()
        }
        return {**services, "volumes": document["volumes"]}

    assert tasks(7) == tasks(8)


def test_further_labels_do_not_hide_ours() -> None:
    stack = rendered(web(""), labels={"team": "a$b", "cabestan.project": "other/one"})

    labels = stack.document["services"]["web"]["deploy"]["labels"]
    assert (labels["team"], labels["cabestan.project"]) == ("a$$b", "demo/hello")


def test_secrets_used_are_those_that_are_referred_to() -> None:
    variables = {"A": secret_placeholder("API_KEY"), "B": secret_placeholder("DB_PASSWORD")}
    text = web("environment: {A: 'x$A', B: '$${CABESTAN_SECRET_Y}', C: '$$$A', D: '$$$${CABESTAN_SECRET_X}'}")

    assert rendered(text, variables).secrets_used == {"API_KEY"}


@pytest.mark.parametrize("text", ["", "a: [", "- a", "services: {}"])
def test_a_file_that_was_not_rendered_here_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Stack.from_yaml(text)


_AWKWARD_WORDS = "yes No on y N ~ null true 1e3 017 0o17 1_000 2020-01-01 1:30 .5 << ="
AWKWARD = [
    *_AWKWARD_WORDS.split(),
    *(
        "# a",
        "a: b",
        "a #b",
        "- a",
        "[a",
        "{a}",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'",
        '"',
        "\\",
        "|",
        ">",
        "?",
    ),
    *(
        " a",
        "a ",
        "a\nb",
        "a\n",
        "\t",
        "$",
        "$$",
        "${A}",
        "$A",
        "${",
        "é",
        "\u2028",
        "😀",
        "\x7f",
        "\x85",
        "",
    ),
    *("a" * 3000, "a b " * 300),
]


def test_docker_reads_awkward_values_back(tmp_path: Path) -> None:
    variables = {f"V{index}": value for index, value in enumerate(AWKWARD)}
    path = tmp_path / "stack.yml"
    path.write_text(rendered(web("environment: [" + ", ".join(variables) + "]"), variables).to_yaml())

    theirs = read_stack(path, {"A": "leaked"})["services"]["web"]["environment"]

    assert {name: meant(value) for name, value in theirs.items()} == variables


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=20), max_size=5))
def test_any_value_survives_the_file(values: list[str]) -> None:
    variables = {f"V{index}": value for index, value in enumerate(values)}
    text = web("environment: [" + ", ".join([*variables, "A=1"]) + "]")

    stack = rendered(text, variables)

    assert Stack.from_yaml(stack.to_yaml()) == stack
    if "\0" not in "".join(values):
        assert read_yaml(stack.to_yaml(), "stack.yml")


def test_equal_files_give_equal_stacks() -> None:
    one = rendered(web("environment: {A: 1, B: 2}\nlabels: {a: b, c: d}"))
    other = rendered(web("labels: [c=d, a=b]\nenvironment: {B: '2', A: '1'}"))

    assert one.to_yaml() == other.to_yaml()
    assert yaml.load(one.to_yaml(), Loader=yaml.CSafeLoader)["version"] == "3.8"


def test_rendering_needs_no_second_look_at_the_file() -> None:
    compose = loaded(web("")).compose

    assert render(compose, context()) == render(compose, context())
