"""How values of two files, or of a service and its base, become one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.samples import IMAGE

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile
from cabestan.compose.load import Build, Loaded, builds_of, load_files
from cabestan.compose.model import Dependency, Healthcheck, Mount, Ports, Resources, Service
from cabestan.compose.nodes import Spot
from cabestan.compose.policy import SERVICE

SOMEWHERE = Spot(1, 1, "")


def _file(lines: str, *, image: bool = True, rest: str = "") -> str:
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return f"services:\n  web:\n{f'    image: {IMAGE}' if image else '    x-none: true'}\n{body}{rest}"


REST = "  db: {image: i}\n  cache: {image: i}\nvolumes: {data: {}, other: {}}\n"


def _loaded(*texts: str, **variables: str) -> Loaded:
    return load_files([SourceFile(f"{number}.yml", text) for number, text in enumerate(texts)], variables)


def _joined(*lines: str) -> Service:
    first, *over = lines
    texts = [_file(first, rest=REST), *(_file(each, image=False) for each in over)]
    return _loaded(*texts).compose.services[0]


def _refused(*texts: str) -> list[tuple[str, str, int, str]]:
    with pytest.raises(ComposeRefused) as refused:
        _loaded(*texts)
    return [(finding.code, finding.file, finding.line, finding.path) for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("lines", "key", "value"),
    [
        (("command: a b", "command: [c]"), "command", ("c",)),
        (("command: a b", "command:"), "command", ()),
        (("entrypoint: [a]", "entrypoint: b c"), "entrypoint", ("b", "c")),
        (("tty: true", "tty: false"), "tty", False),
        (("user: a", "user:"), "user", "a"),
        (("environment: {A: 1, B: 2}", "environment: [B=3, C=]"), "environment", {"A": "1", "B": "3", "C": ""}),
        (("environment: [A=1, B=2]", "environment: {B: 3}"), "environment", {"A": "1", "B": "3"}),
        (("environment: [A=1]", "environment:"), "environment", {"A": "1"}),
        (("environment:", "environment: [A=1]"), "environment", {"A": "1"}),
        (("labels: [a=b, c]", "labels: {c: d}"), "labels", {"a": "b", "c": "d"}),
        (("expose: [80, '81']", "expose: ['80', 82]"), "expose", (Ports(80, 80), Ports(81, 81), Ports(82, 82))),
        (("extra_hosts: {a: 10.0.0.1}", "extra_hosts: ['a:10.0.0.2']"), "extra_hosts", ("a:10.0.0.1", "a:10.0.0.2")),
        (("extra_hosts: ['a=10.0.0.1']", "extra_hosts: {a: [10.0.0.1]}"), "extra_hosts", ("a:10.0.0.1",)),
        (
            ("volumes: ['data:/a', 'data:/b']", "volumes: [{type: volume, source: other, target: /a}]"),
            "mounts",
            (Mount("other", "/a", SOMEWHERE), Mount("data", "/b", SOMEWHERE)),
        ),
        (("tmpfs: /a", "tmpfs: [/b, /a]"), "mounts", (Mount(None, "/a", SOMEWHERE), Mount(None, "/b", SOMEWHERE))),
        (
            ("depends_on: [db]", "depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}"),
            "depends_on",
            (Dependency("cache", SOMEWHERE), Dependency("db", SOMEWHERE, "service_healthy")),
        ),
        (
            ("healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {test: b, retries: 2}"),
            "healthcheck",
            Healthcheck(("CMD-SHELL", "b"), interval="5s", retries=2),
        ),
    ],
)
def test_keys_are_joined_by_their_rules(lines: tuple[str, ...], key: str, value: object) -> None:
    assert getattr(_joined(*lines), key) == value


def test_logging_begins_anew_where_the_driver_changes() -> None:
    first = "logging: {driver: local, options: {max-size: 1m}}"

    assert _joined(first, "logging: {options: {max-file: 2}}").logging.options == {"max-size": "1m", "max-file": "2"}
    changed = _joined(first, "logging: {driver: json-file, options: {max-file: 2}}").logging
    assert (changed.driver, changed.options) == ("json-file", {"max-file": "2"})


def test_deploy_is_joined_at_each_level() -> None:
    deploy = _joined(
        "deploy: {replicas: 2, resources: {limits: {cpus: '1', memory: 1g}}, "
        "placement: {constraints: [node.labels.a == b]}}",
        "deploy: {resources: {limits: {memory: 2g}}, placement: {constraints: [node.labels.c == d]}}",
    ).deploy

    assert (deploy.replicas, deploy.limits) == (2, Resources("1", "2g"))
    assert deploy.constraints == ("node.labels.a == b", "node.labels.c == d")


def test_reset_takes_away_and_override_takes_the_place() -> None:
    service = _joined(
        "environment: {A: 1, B: 2}\ncommand: x\nlabels: [a=b]\nexpose: [80]",
        "environment: {A: !reset null}\ncommand: !reset\nlabels: !override {c: d}\nexpose: !override [81]",
    )

    assert (service.environment, service.command) == ({"B": "2"}, ())
    assert (service.labels, service.expose) == ({"c": "d"}, (Ports(81, 81),))


def test_a_whole_service_can_be_reset() -> None:
    compose = _loaded(_file("tty: true", rest=REST), "services: {db: !reset null}").compose

    assert [service.name for service in compose.services] == ["web", "cache"]


def test_marks_mean_nothing_in_a_single_file() -> None:
    service = _joined("command: !override a\nuser: !reset b")

    assert (service.command, service.user) == (("a",), None)


def test_three_files_are_joined_in_their_order() -> None:
    service = _joined("environment: {A: 1}", "environment: {A: 2, B: 2}", "environment: {A: 3}")

    assert service.environment == {"A": "3", "B": "2"}


def test_a_finding_names_the_file_where_the_value_stands() -> None:
    first = _file("tty: maybe\nlabels: {a: b}", rest="volumes: {data: {external: true}}\n")
    second = "services:\n  web:\n    privileged: true\n    labels: {cabestan.a: b}\n"

    assert _refused(first, second) == [
        ("wrong-type", "0.yml", 4, "services.web.tty"),
        ("no-external", "0.yml", 6, "volumes.data.external"),
        ("no-privileged", "1.yml", 3, "services.web.privileged"),
        ("label-reserved", "1.yml", 4, "services.web.labels.cabestan.a"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("environment: {A: 1}", "environment: text"),
        ("environment: [[A]]", "environment: [A=1]"),
        ("deploy: {replicas: 1}", "deploy: [1]"),
        ("volumes: ['data:/a']", "volumes: {a: b}"),
        ("expose: [80]", "expose: {a: b}"),
        ("healthcheck: {retries: 1}", "healthcheck: text"),
    ],
)
def test_values_of_different_shape_are_not_joined(before: str, after: str) -> None:
    found = _refused(_file(before, rest=REST), _file(after, image=False))

    assert ("cannot-merge", "1.yml", 4, f"services.web.{after.partition(':')[0]}") in found


def test_files_are_bounded_together() -> None:
    text = _file("environment: {" + ", ".join(f"A{n}: x" for n in range(4000)) + "}")

    assert [code for code, *_ in _refused(text, text, text)] == ["too-large"]
    assert [code for code, *_ in _refused(*[_file("", image=False)] * 40)] == ["too-many-files"]
    assert [code for code, *_ in _refused(*[_file("# " + "x" * 100_000)] * 3)] == ["too-large"]


def test_builds_of_several_files_are_joined_and_relative_to_the_first() -> None:
    files = [
        SourceFile("deploy/compose.yml", "services: {a: {build: ./a, image: x}, b: {build: b}}"),
        SourceFile("other/over.yml", "services: {a: {build: {dockerfile: Dockerfile.a}}, b: {build: !reset null}}"),
    ]

    assert builds_of(files) == (Build("a", "deploy/./a", "Dockerfile.a", "x"),)


names = st.sampled_from(["A", "B", "C"])
values = st.dictionaries(names, st.text("xyz", max_size=2), max_size=3)


@given(values, values, st.booleans(), st.booleans())
def test_variables_are_joined_by_name_in_any_form(
    first: dict[str, str], second: dict[str, str], lists_first: bool, lists_second: bool
) -> None:
    def written(given: dict[str, str], as_list: bool) -> str:
        lines = [f"'{name}={value}'" if as_list else f"{name}: '{value}'" for name, value in given.items()]
        return f"environment: {'[' if as_list else '{'}{', '.join(lines)}{']' if as_list else '}'}"

    service = _joined(written(first, lists_first), written(second, lists_second))

    assert service.environment == first | second


_SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab$={}:./", max_size=6)
_KEYS = st.sampled_from(
    [*sorted(SERVICE.allowed), "test", "service", "file", "options", "driver", "condition", "target", "a", "web"]
)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@given(
    st.lists(st.fixed_dictionaries({"services": st.dictionaries(st.sampled_from(["web", "a"]), _TREES)}), max_size=3)
)
def test_any_files_are_joined_or_refused(documents: list[dict[str, Any]]) -> None:
    texts = [json.dumps(document) for document in documents] or ["services: {}"]
    files = [SourceFile(f"{number}.yml", text) for number, text in enumerate(texts)]
    with suppress(ComposeRefused):
        load_files(files, {}, read=lambda path: texts[0] if len(path) < 4 else None)
    with suppress(ComposeRefused):
        builds_of(files, read=lambda path: texts[-1] if len(path) < 4 else None)
