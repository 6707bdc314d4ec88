"""Where the reader differs from Docker's on purpose: each row of the table in docs/compose-reading.md is shown here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.compose.engine_client import stack_config

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.compose.model import Mount, Service
from cabestan.compose.nodes import Spot

DOCUMENT = Path(__file__).parents[2] / "docs" / "compose-reading.md"
VARIABLES = {"A": "a", "Y": "y", "KEPT": "kept"}
REFUSED = "refused"
SOMEWHERE = Spot(1, 1, "")


@dataclass(frozen=True)
class Case:
    """`web` in one file, or in one over another; `key` is looked at in what Docker prints and in our model."""

    lines: str
    key: str
    theirs: Any
    ours: Any
    over: str | None = None
    version: str = "3.8"


CASES = {
    "true and false as values of variables and labels": Case(
        "environment: {A: true}", "environment", REFUSED, {"A": "true"}
    ),
    'an empty value of a variable, `A: ""` or `A=`': Case("environment: ['A=']", "environment", {"A": "a"}, {"A": ""}),
    "dates as values": Case(
        "environment: {A: 2020-01-01}", "environment", {"A": "2020-01-01 00:00:00 +0000 UTC"}, {"A": "2020-01-01"}
    ),
    "`${X:+a}` and `${X+a}`": Case("environment: {A: '${Y:+z}'}", "environment", REFUSED, {"A": "z"}),
    "variables in the default of a variable": Case(
        "environment: {A: '${X:-${Y}}'}", "environment", {"A": "${Y}"}, {"A": "y"}
    ),
    "`$A-b`": Case("environment: {B: $A-b}", "environment", {"B": "a"}, {"B": "a-b"}),
    "an empty `command:`": Case("command:", "command", REFUSED, ()),
    "`depends_on` with conditions": Case(
        "depends_on: {b: {condition: service_healthy}}", "depends_on", REFUSED, [("b", "service_healthy")]
    ),
    "the same service twice in `depends_on`": Case(
        "depends_on: [b, b]", "depends_on", REFUSED, [("b", "service_started")]
    ),
    "several addresses of a host in a list": Case(
        "extra_hosts: {a: [10.0.0.1, 10.0.0.2]}", "extra_hosts", REFUSED, ("a:10.0.0.1", "a:10.0.0.2")
    ),
    'numbers in quotes, such as `replicas: "3"`': Case("deploy: {replicas: '3'}", "replicas", REFUSED, 3),
    "infinite numbers": Case("environment: {A: .inf}", "environment", REFUSED, REFUSED),
    "unknown tags": Case("environment: {A: !b c}", "environment", {"A": "c"}, REFUSED),
    "version 2": Case("init: true", "init", REFUSED, True, version="2.4"),
    "`extends`": Case("extends: b", "image", REFUSED, "i"),
    "false over true in a later file": Case("tty: true", "tty", "true", False, over="tty: false"),
    'nothing over something in a later file, such as `Q: ""`': Case(
        "environment: {Q: x}", "environment", {"Q": "x"}, {"Q": ""}, over="environment: {Q: ''}"
    ),
    "an empty `command` or `entrypoint` in a later file": Case(
        "entrypoint: [x]", "entrypoint", ["x"], (), over="entrypoint: []"
    ),
    "several ports that publish none, in several files": Case(
        "ports: ['80', '81']", "ports", ["81", "80"], ["80", "81"], over="ports: ['80:80']"
    ),
    "`healthcheck.test` in a later file": Case(
        "healthcheck: {test: [CMD, a]}",
        "healthcheck",
        ["CMD", "a", "CMD", "b"],
        ("CMD", "b"),
        over="healthcheck: {test: [CMD, b]}",
    ),
    "`logging.options` in a later file without a driver": Case(
        "logging: {driver: local}",
        "logging",
        {"driver": "local"},
        {"driver": "local", "options": {"max-file": "2"}},
        over="logging: {options: {max-file: '2'}}",
    ),
    "a variable without a value over one with a value": Case(
        "environment: {KEPT: x, GONE: x}",
        "environment",
        {"KEPT": "kept", "GONE": "x"},
        {"KEPT": "kept"},
        over="environment: [KEPT, GONE]",
    ),
    "the same port, host or dependency in two files": Case(
        "expose: ['80']", "expose", ["80", "80"], ["80"], over="expose: ['80']"
    ),
    "`!reset` and `!override`": Case(
        "environment: {B: '1', C: '1', D: '1'}\nexpose: ['80']",
        "environment",
        {"B": "null", "C": "3", "D": "1"},
        {"C": "3", "D": "1"},
        over="environment: {B: !reset null, C: !override '3'}",
    ),
    "volumes whose name is one letter": Case("volumes: ['d:/y']", "volumes", [("volume", "", "d:/y")], [("d", "/y")]),
    "`./data:/data`": Case("volumes: ['./data:/data']", "volumes", [("bind", "/data", "/data")], [("data", "/data")]),
    "volumes without a name": Case("volumes: [/data]", "volumes", [("volume", "", "/data")], REFUSED),
    "two volumes at one place of a service": Case(
        "volumes: ['d1:/y', 'd2:/y']", "volumes", [("volume", "d1", "/y"), ("volume", "d2", "/y")], REFUSED
    ),
}


def _file(lines: str, version: str, image: bool) -> str:
    body = "".join(f"    {line}\n" for line in lines.split("\n"))
    named = "    image: i\n" if image and "extends" not in lines else ""
    others = "  b: {image: i}\nvolumes: {d: {}, d1: {}, d2: {}}\n"
    return f"version: '{version}'\nservices:\n  web:\n{named}{body}{others if image else ''}"


def _texts(case: Case) -> list[str]:
    first = _file(case.lines, case.version, image=True)
    return [first] if case.over is None else [first, _file(case.over, case.version, image=False)]


def _docker(case: Case, folder: Path) -> Any:
    paths = [folder / f"{number}.yml" for number, _ in enumerate(_texts(case))]
    for path, text in zip(paths, _texts(case), strict=True):
        path.write_text(text)
    result = stack_config(paths[0], VARIABLES, *paths[1:])
    if result.returncode != 0:
        return REFUSED
    service = yaml.load(result.stdout, Loader=yaml.CBaseLoader)["services"]["web"]
    match case.key:
        case "volumes":
            return [(v["type"], v.get("source", "").removeprefix(str(folder)), v["target"]) for v in service["volumes"]]
        case "ports":
            return [port["target"] for port in service["ports"]]
        case "healthcheck":
            return service["healthcheck"]["test"]
    return service.get(case.key)


def _cabestan(case: Case) -> Any:
    files = [SourceFile(f"{number}.yml", text) for number, text in enumerate(_texts(case))]
    try:
        service = load_files(files, VARIABLES).compose.services[0]
    except ComposeRefused:
        return REFUSED
    return _shown(service, case.key)


def _shown(service: Service, key: str) -> Any:
    match key:
        case "depends_on":
            return [(dependency.service, dependency.condition) for dependency in service.depends_on]
        case "healthcheck":
            return service.healthcheck.test if service.healthcheck else None
        case "logging":
            return {"driver": service.logging.driver, "options": dict(service.logging.options)}
        case "expose" | "ports":
            return [str(ports.first) for ports in service.expose]
        case "volumes":
            return [(mount.source, mount.target) for mount in service.mounts]
        case "replicas":
            return service.deploy.replicas
    return getattr(service, key)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_readers_differ_as_documented(tmp_path: Path, case: Case) -> None:
    assert (_docker(case, tmp_path), _cabestan(case)) == (case.theirs, case.ours)


def test_each_difference_is_in_the_documentation_and_the_other_way_round() -> None:
    table = DOCUMENT.read_text().partition("## Differences")[2]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]

    assert rows[2:] == list(CASES)


def test_a_relative_path_of_a_volume_is_its_name() -> None:
    files = [SourceFile("f.yml", _file("volumes: ['./data:/data']", "3", image=True))]

    assert load_files(files, {}).compose.services[0].mounts == (Mount("data", "/data", SOMEWHERE),)
