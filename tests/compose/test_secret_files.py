"""Secrets of the environment that services get as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.compose.engine_client import read_stack
from tests.compose.samples import codes, loaded, rendered, web

from cabestan.compose.difference import difference
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.compose.model import SecretFile
from cabestan.compose.nodes import Spot

SOMEWHERE = Spot(0, 0, "")
FILES = {"API_KEY": "stack_API_KEY_0123456789ab", "DB_PASSWORD": "stack_DB_PASSWORD_ba9876543210"}


def files(lines: str, rest: str = "") -> tuple[SecretFile, ...]:
    return loaded(web(lines, rest)).compose.services[0].secrets


def test_short_and_long_forms_name_secrets_of_the_environment() -> None:
    lines = "secrets:\n- API_KEY\n- {source: database, target: pass-word, uid: '1001', gid: 1001, mode: 0440}\n- extra"
    rest = "secrets:\n  API_KEY:\n  database: {environment: DB_PASSWORD}\n  extra: {external: true}\n"
    assert files(lines, rest) == (
        SecretFile("API_KEY", "API_KEY", SOMEWHERE),
        SecretFile("DB_PASSWORD", "pass-word", SOMEWHERE, "1001", "1001", 0o440),
        SecretFile("extra", "extra", SOMEWHERE),
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("API_KEY", SecretFile("API_KEY", "API_KEY", SOMEWHERE)),
        ("{source: API_KEY}", SecretFile("API_KEY", "API_KEY", SOMEWHERE)),
        ("{source: API_KEY, target: /run/secrets/key}", SecretFile("API_KEY", "key", SOMEWHERE)),
        ("{source: API_KEY, mode: '0400'}", SecretFile("API_KEY", "API_KEY", SOMEWHERE, mode=0o400)),
        ("{source: API_KEY, mode: 292}", SecretFile("API_KEY", "API_KEY", SOMEWHERE, mode=0o444)),
    ],
)
def test_what_is_not_declared_at_the_top_is_a_secret_of_its_own_name(item: str, expected: SecretFile) -> None:
    assert files(f"secrets: [{item}]") == (expected,)


@pytest.mark.parametrize(
    ("lines", "rest", "expected"),
    [
        ("secrets: [a-b]", "", [("secret-name", 4)]),
        ("secrets: ['$HOME']", "", [("no-value", 4)]),
        ("secrets: API_KEY", "", [("wrong-type", 4)]),
        ("secrets: [{target: x}]", "", [("no-value", 4)]),
        ("secrets: [{source: A, target: ../x}]", "", [("secret-target", 4)]),
        ("secrets: [{source: A, target: /etc/passwd}]", "", [("secret-target", 4)]),
        ("secrets: [{source: A, target: /run/secrets/../x}]", "", [("secret-target", 4)]),
        ("secrets: [{source: A, mode: 04755}]", "", [("wrong-type", 4)]),
        ("secrets: [{source: A, uid: root}]", "", [("wrong-type", 4)]),
        ("secrets: [{source: A, driver: x}]", "", [("unknown-key", 4)]),
        ("secrets: [A, {source: B, target: A}]", "", [("given-twice", 4)]),
        ("", "secrets:\n  A: {file: ./a}\n", [("file-missing", 5)]),
        ("", "secrets:\n  A: {external: true, name: other-stack_A}\n", [("no-name", 5)]),
        ("", "secrets:\n  A: {external: false}\n", [("wrong-value", 5)]),
        ("", "secrets:\n  A: {driver: vault}\n", [("no-driver", 5)]),
        ("", "secrets:\n  a-b:\n", [("secret-name", 5)]),
        ("", "secrets:\n  A: {environment: a-b}\n", [("wrong-value", 5)]),
        ("", "secrets: [A]\n", [("wrong-type", 4)]),
    ],
)
def test_what_is_wrong_has_its_line(lines: str, rest: str, expected: list[tuple[str, int]]) -> None:
    assert codes(web(lines, rest)) == expected


def test_a_stack_refers_to_what_swarm_has_and_docker_reads_it(tmp_path: Path) -> None:
    lines = "secrets:\n- API_KEY\n- {source: DB_PASSWORD, target: pw, uid: '1001', mode: 0440}"
    stack = rendered(web(lines), secret_files=FILES)
    assert stack.document["secrets"] == {name: {"external": True, "name": FILES[name]} for name in sorted(FILES)}
    assert stack.document["services"]["web"]["secrets"] == [
        {"source": "API_KEY", "target": "API_KEY"},
        {"source": "DB_PASSWORD", "target": "pw", "uid": "1001", "mode": 0o440},
    ]
    assert stack.secret_files == {swarm: name for name, swarm in FILES.items()}
    assert stack.secrets_used == frozenset()
    path = tmp_path / "stack.yml"
    path.write_text(stack.to_yaml())
    read = read_stack(path, {})
    assert {name: entry["name"] for name, entry in read["secrets"].items()} == FILES
    assert read["services"]["web"]["secrets"][1]["target"] == "pw"


def test_another_content_is_no_difference_of_the_service_and_another_file_is() -> None:
    before = rendered(web("secrets: [API_KEY]"), secret_files=FILES)
    content = rendered(web("secrets: [API_KEY]"), secret_files=FILES | {"API_KEY": "stack_API_KEY_ffffffffffff"})
    assert difference(before, content) == ()
    (change,) = difference(before, rendered(web("secrets: [DB_PASSWORD]"), secret_files=FILES))
    assert (change.kind, change.subject) == ("setting", "web.secrets")


def test_a_secret_that_the_environment_lacks_is_refused_with_its_line() -> None:
    with pytest.raises(ComposeRefused) as refused:
        rendered(web("secrets:\n- API_KEY\n- NONE"), secret_files=FILES)
    assert [(f.code, f.line, f.message) for f in refused.value.findings] == [
        ("secret-unknown", 6, "staging has no secret NONE.")
    ]


def test_of_several_files_the_later_one_says_how_a_secret_is_mounted() -> None:
    first = web("secrets: [A, {source: B, target: b}]", "secrets: {A: {external: true}}\n")
    second = "services: {web: {secrets: [{source: A, target: a}, C]}}\n"
    loaded_files = load_files([SourceFile("a.yml", first), SourceFile("b.yml", second)], {})
    assert loaded_files.compose.services[0].secrets == (
        SecretFile("A", "a", SOMEWHERE),
        SecretFile("B", "b", SOMEWHERE),
        SecretFile("C", "C", SOMEWHERE),
    )
