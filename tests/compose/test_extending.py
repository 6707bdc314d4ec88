"""Services that extend others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.compose.samples import loaded

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.library import SourceFile, needed_files
from cabestan.compose.load import Build, Loaded, builds_of, load_files
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.nodes import Spot

SOMEWHERE = Spot(1, 1, "")


def _load(files: Mapping[str, str], *names: str, **variables: str) -> Loaded:
    sources = [SourceFile(name, files[name]) for name in names or ("compose.yml",)]
    return load_files(sources, variables, read=files.get)


def _refused(files: Mapping[str, str], *names: str, **variables: str) -> list[Finding]:
    with pytest.raises(ComposeRefused) as refused:
        _load(files, *names, **variables)
    return list(refused.value.findings)


def _service(files: Mapping[str, str], name: str = "web", **variables: str) -> Service:
    service = _load(files, **variables).compose.service(name)
    assert service is not None
    return service


def test_a_service_extends_one_of_the_same_file() -> None:
    text = (
        "services:\n  base: {image: i, tty: true, environment: {A: 1, B: 1}}\n"
        "  web: {extends: base, environment: [B=2]}\n  worker: {extends: {service: web}, tty: false}\n"
    )

    assert loaded(text).compose == ComposeFile(
        "docker-compose.yml",
        (
            Service("base", "i", SOMEWHERE, tty=True, environment={"A": "1", "B": "1"}),
            Service("web", "i", SOMEWHERE, tty=True, environment={"A": "1", "B": "2"}),
            Service("worker", "i", SOMEWHERE, tty=False, environment={"A": "1", "B": "2"}),
        ),
    )


def test_a_service_extends_one_of_another_file_with_its_variables() -> None:
    files = {
        "compose.yml": "services: {web: {extends: {file: common/base.yml, service: base}, command: run}}",
        "common/base.yml": "services: {base: {extends: {file: ../root.yml, service: root}, environment: {A: $X}}}",
        "root.yml": "services: {root: {image: i, labels: {a: b}}}",
    }

    web = _service(files, X="x")

    assert (web.image, web.command, web.environment, web.labels) == ("i", ("run",), {"A": "x"}, {"a": "b"})


def test_paths_of_a_base_are_seen_from_the_projects_folder() -> None:
    files = {
        "compose.yml": "services: {web: {extends: {file: common/deep/base.yml, service: base}}}",
        "common/deep/base.yml": (
            "services:\n  base:\n    image: i\n    build: {context: ../app}\n    volumes:\n    - ./data:/data\n"
            "    - {type: bind, source: logs, target: /logs}\n    - named:/named\n"
        ),
    }
    files["compose.yml"] += "\nvolumes: {named: {}}"

    loaded = _load(files)

    assert [volume.source for volume in loaded.compose.volumes] == ["./common/deep/data", "./common/deep/logs", "named"]
    assert builds_of([SourceFile("compose.yml", files["compose.yml"])], read=files.get) == (
        Build("web", "./common/app", "Dockerfile", "i"),
    )


def test_a_path_of_a_base_that_leaves_the_projects_folder_is_refused_where_it_stands() -> None:
    files = {
        "app/compose.yml": "services: {web: {extends: {file: ../base.yml, service: base}}}",
        "base.yml": "services:\n  base:\n    image: i\n    volumes: ['./data:/data']\n",
    }

    assert [(f.code, f.file, f.line) for f in _refused(files, "app/compose.yml")] == [("no-host-path", "base.yml", 4)]


def test_what_is_wrong_in_a_base_is_told_with_its_file() -> None:
    files = {
        "compose.yml": "services:\n  web:\n    extends: {file: base.yml, service: base}\n    tty: maybe\n",
        "base.yml": "services:\n  base:\n    image: i\n    privileged: true\n    environment: ['A=${U:?who}']\n",
    }

    assert [(f.code, f.file, f.line, f.path) for f in _refused(files)] == [
        ("wrong-type", "compose.yml", 4, "services.web.tty"),
        ("no-privileged", "base.yml", 4, "services.web.privileged"),
        ("interpolation", "base.yml", 5, "services.base.environment[0]"),
    ]


def test_other_services_of_a_further_file_do_not_count() -> None:
    files = {
        "compose.yml": "services: {web: {extends: {file: base.yml, service: base}}}",
        "base.yml": "services: {base: {image: i}, other: {privileged: true}}\nnetworks: {}",
    }

    assert [service.name for service in _load(files).compose.services] == ["web"]


@pytest.mark.parametrize(
    ("extends", "code"),
    [
        ("web", "extends-circle"),
        ("other", "extends-circle"),
        ("nobody", "extends"),
        ("{file: base.yml}", "extends"),
        ("{service: nobody, file: base.yml}", "extends"),
        ("{service: web, file: compose.yml}", "extends-circle"),
        ("{service: text, file: base.yml}", "wrong-type"),
        ("{service: a, file: none.yml}", "extends-path"),
        ("{service: a, file: ../base.yml}", "extends-path"),
        ("{service: a, file: x/../../base.yml}", "extends-path"),
        ("{service: a, file: /etc/passwd}", "extends-path"),
        ("{service: a, file: ~/base.yml}", "extends-path"),
        ("{service: a, file: 'https://example.org/base.yml'}", "extends-path"),
        ("{service: a, file: 'https://example.org/a.git#main:base.yml'}", "extends-path"),
        ("{service: a, file: empty.yml}", "extends"),
        ("{service: [a]}", "wrong-type"),
        ("{service: a, file: base.yml, what: x}", "unknown-key"),
        ("[a]", "wrong-type"),
        ("", "no-value"),
        ("{service: a, file: list.yml}", "not-compose"),
        ("{service: a, file: broken.yml}", "not-yaml"),
    ],
)
def test_what_cannot_be_extended_is_refused(extends: str, code: str) -> None:
    files = {
        "compose.yml": f"services:\n  web: {{image: i, extends: {extends}}}\n  other: {{image: i, extends: web}}\n",
        "base.yml": "services: {a: {image: i}, text: none}",
        "empty.yml": "x-a: b",
        "list.yml": "[a]",
        "broken.yml": "{",
    }

    assert code in [finding.code for finding in _refused(files)]


def test_a_path_with_a_variable_is_refused_for_the_release_must_hold_the_file() -> None:
    files = {
        "compose.yml": "services: {web: {image: i, extends: {file: '$X.yml', service: a}}}",
        "a.yml": "services: {}",
    }

    (first, _) = _refused(files, X="a")

    assert (first.code, first.path) == ("extends-path", "services.web.extends.file")


def test_a_circle_through_files_is_told_with_its_services() -> None:
    files = {
        "compose.yml": "services: {web: {extends: {file: base.yml, service: base}}}",
        "base.yml": "services:\n  base:\n    extends: {file: compose.yml, service: web}\n",
    }

    (finding,) = _refused(files)

    assert (finding.code, finding.file, finding.line) == ("extends-circle", "base.yml", 3)
    assert finding.message == "The services extend each other: web → base → web."


def test_a_long_chain_and_a_large_base_are_refused() -> None:
    chain = "".join(f"  a{n}: {{extends: a{n + 1}}}\n" for n in range(30))
    large = "  base: {image: i, environment: {" + ", ".join(f"A{n}: x" for n in range(900)) + "}}\n"
    many = "".join(f"  a{n}: {{extends: base}}\n" for n in range(100))

    assert [f.code for f in _refused({"compose.yml": f"services:\n{chain}  a30: {{image: i}}\n"})] == ["too-deep"]
    assert [f.code for f in _refused({"compose.yml": f"services:\n{large}{many}"})] == ["too-large"]


def test_a_base_is_joined_before_the_files_are() -> None:
    files = {
        "a.yml": "services: {base: {image: i, environment: {A: 1}}, web: {image: j, command: a, environment: {B: 1}}}",
        "b.yml": "services: {base: {image: k, environment: {C: 1}}, web: {extends: base, command: !reset null}}",
    }

    web = _load(files, "a.yml", "b.yml").compose.service("web")

    assert web is not None
    assert (web.image, web.command, web.environment) == ("k", (), {"B": "1", "C": "1"})


def test_a_release_needs_all_that_is_extended() -> None:
    files = {
        "deploy/compose.yml": (
            "services:\n  a: {extends: {file: ../base.yml, service: a}}\n  b: {extends: {file: none.yml, service: b}}\n"
            "  c: {extends: {file: ../../outside.yml, service: c}}\n  d: {extends: a}\n"
        ),
        "base.yml": "services: {a: {extends: {file: common/x.yml, service: x}}}",
        "common/x.yml": "services: {x: {extends: {file: ../base.yml, service: a}}}",
        "unused.yml": "services: {}",
    }

    assert needed_files(["deploy/compose.yml", "missing.yml"], files.get) == {
        name: files[name] for name in ("deploy/compose.yml", "base.yml", "common/x.yml")
    }
