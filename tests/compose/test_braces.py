"""What Swarm expands: whatever is written arrives as it is, and nothing in it is ever evaluated."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from tests.compose.samples import rendered, web

from cabestan.compose.braces import literal, literal_task, meant
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.stack import EXTENSION, Stack, as_in_file, with_values

#: texts in which what matters here is frequent
TEXTS = st.text(st.one_of(st.sampled_from('{}"`-$ \\./*'), st.characters(exclude_categories=["Cs", "Co"])))
_STRING = re.compile(r'\{\{"([^"\\\n]*)"\}\}')
_REFERENCE = re.compile(r"\$\$|\$\{CABESTAN_SECRET_A\}")


def evaluated(template: str) -> str:
    """As Go's text/template reads it: an action begins at the first `{{`. Fails for any that is no string alone."""
    text, opened, rest = template.partition("{{")
    if not opened:
        return text
    action = _STRING.match(opened + rest)
    assert action, f"Swarm would evaluate {opened + rest[:40]}"
    return text + action[1] + evaluated(template[len(text) + action.end() :])


@given(TEXTS)
@example("{{.Node.Hostname}}")
@example("{{{{- /* */ -}}}}")
@example('{{"{{"}}')
def test_any_text_evaluates_to_itself(text: str) -> None:
    assert evaluated(literal(text)) == text
    assert meant(literal(text)) == text


@given(st.lists(TEXTS, max_size=4))
@example(["{", "{"])
@example(["{{", "{{x}}"])
def test_texts_may_be_put_behind_each_other(parts: list[str]) -> None:
    assert evaluated("".join(literal(part) for part in parts)) == "".join(parts)


@given(TEXTS, TEXTS, TEXTS)
@example("{", "{x}}", "")
@example("a", "b{", "{c}}")
def test_a_value_arrives_through_the_file_with_a_secret_in_it(before: str, secret: str, after: str) -> None:
    """As handed over, and as whoever takes the stored file without Cabestan fills it."""
    if "\0" in before + secret + after:
        return
    values = {"A": secret_placeholder("API_KEY"), "B": before, "C": after}
    text = rendered(web("environment: {V: '${B}${A}${C}'}"), values).to_yaml()
    given_once = yaml.safe_load(with_values(text, {"API_KEY": secret}))
    assert EXTENSION not in given_once
    [value] = given_once["services"]["web"]["environment"].values()
    assert evaluated(value.replace("$$", "$")) == before + secret + after
    stored: str = yaml.safe_load(text)["services"]["web"]["environment"]["V"]
    filled = stored.replace("${CABESTAN_SECRET_API_KEY}", as_in_file(secret)).replace("$$", "$")
    assert evaluated(filled) == before + secret + after


def test_the_file_has_templates_where_swarm_expands_and_nowhere_else() -> None:
    text = web(
        "environment: {A: '{{.Node.ID}}'}\ncommand: ['{{x}}']\nlabels: {l: '{{x}}'}\nworking_dir: '/{{x}}'\n"
        "healthcheck: {test: ['CMD', '{{x}}']}"
    )
    stack = rendered(text)
    file = yaml.safe_load(stack.to_yaml())["services"]["web"]
    assert file["environment"] == {"A": '{{"{{"}}.Node.ID}}'}
    assert (file["command"], file["labels"]["l"], file["working_dir"]) == (["{{x}}"], "{{x}}", "/{{x}}")
    assert file["healthcheck"]["test"] == ["CMD", "{{x}}"]
    assert Stack.from_yaml(stack.to_yaml()) == stack


def test_mounts_and_host_names_of_a_file_are_escaped_too() -> None:
    """The source of a volume but names it within the file."""
    volume = {"type": "volume", "source": "data", "target": "/{{t}}"}
    bind = {"type": "bind", "source": "/{{s}}", "target": "/b"}
    declared = {"data": {"name": "{{n}}", "labels": {"l": "{{l}}"}, "driver_opts": {"o": "{{o}}"}}}
    stack = Stack({"services": {"a": {"hostname": "{{h}}", "volumes": [volume, bind]}}, "volumes": declared})
    file = yaml.safe_load(stack.to_yaml())
    assert file["services"]["a"] == {
        "hostname": '{{"{{"}}h}}',
        "volumes": [volume | {"target": '/{{"{{"}}t}}'}, bind | {"source": '/{{"{{"}}s}}'}],
    }
    assert file["volumes"]["data"] == {
        "name": '{{"{{"}}n}}',
        "labels": {"l": '{{"{{"}}l}}'},
        "driver_opts": {"o": '{{"{{"}}o}}'},
    }


def test_what_runs_once_or_by_the_clock_has_the_same_form() -> None:
    text = (
        "services:\n"
        "  once: {image: IMAGE, restart: 'no', environment: {A: '{{x}}'}}\n"
        "  clock:\n    image: IMAGE\n    environment: {A: '{{x}}'}\n"
        "    labels: {sh.factory.cronjob.schedule: '@daily', sh.factory.cronjob.command: 'true'}\n"
    ).replace("IMAGE", web("").split("image: ")[1].strip())
    stack = rendered(text)
    kept = yaml.safe_load(stack.to_yaml())[EXTENSION]
    assert [kept[kind][name]["environment"]["A"] for kind, name in (("once", "once"), ("cron", "clock"))] == [
        '{{"{{"}}x}}',
        '{{"{{"}}x}}',
    ]
    assert stack.once["once"]["environment"] == {"A": "{{x}}"}
    assert Stack.from_yaml(stack.to_yaml()) == stack


def test_a_task_of_the_api_has_them_in_every_field_that_swarm_expands() -> None:
    """As swarmkit's template/expand.go lists them."""
    options = {"Labels": {"l": "{{b}}"}, "NoCopy": True, "DriverConfig": {"Name": "d", "Options": {"o": "{{c}}"}}}
    template: dict[str, Any] = {
        "ContainerSpec": {
            "Image": "{{i}}",
            "Args": ["{{a}}"],
            "Hostname": "{{h}}",
            "Env": ["A={{e}}=", "{{N}}", "B=="],
            "Mounts": [{"Type": "volume", "Source": "{{s}}", "Target": "{{t}}", "VolumeOptions": options}],
        },
        "Networks": [],
    }
    container = literal_task(template)["ContainerSpec"]
    assert container == {
        "Image": "{{i}}",
        "Args": ["{{a}}"],
        "Hostname": literal("{{h}}"),
        "Env": ["A=" + literal("{{e}}="), "{{N}}", "B=="],
        "Mounts": [
            {
                "Type": "volume",
                "Source": literal("{{s}}"),
                "Target": literal("{{t}}"),
                "VolumeOptions": {
                    "Labels": {"l": literal("{{b}}")},
                    "NoCopy": True,
                    "DriverConfig": {"Name": "d", "Options": {"o": literal("{{c}}")}},
                },
            }
        ],
    }
    assert template["ContainerSpec"]["Hostname"] == "{{h}}"
