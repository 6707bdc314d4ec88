from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.nodes import Entry, Items, Scalar, Table
from cabestan.compose.source import Limits, read_document, read_yaml


def _refused(text: str, limits: Limits | None = None) -> Finding:
    with pytest.raises(ComposeRefused) as refused:
        read_yaml(text, "f.yml", limits)
    (finding,) = refused.value.findings
    return finding


def _values(node: object) -> object:
    match node:
        case Table(entries=entries):
            return {entry.key: _values(entry.value) for entry in entries}
        case Items(items=items):
            return [_values(item) for item in items]
        case Scalar(value=value):
            return value
    raise AssertionError(node)


def test_values_know_their_lines_and_columns() -> None:
    assert read_yaml("a:\n  b: [017]\n", "f.yml") == Table(
        (Entry("a", Table((Entry("b", Items((Scalar(15, "017", 2, 7),), 2, 6), 2, 3),), 2, 3), 1, 1),), 1, 1
    )


def test_an_empty_text_is_an_empty_value() -> None:
    assert read_yaml("", "f.yml") == Scalar(None, "", 1, 1)


def test_merges_keep_own_keys_and_prefer_earlier_mappings() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 9}\n"

    assert _values(read_yaml(text, "f.yml")) == {
        "a": {"x": 1, "y": 2},
        "b": {"y": 3, "z": 4},
        "c": {"x": 9, "y": 2, "z": 4},
    }


def test_a_quoted_merge_key_is_a_plain_key() -> None:
    assert _values(read_yaml('{"<<": 1}', "f.yml")) == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "duplicate-key", 2, 1),
        ("x: &x {}\na: {<<: *x, <<: *x}\n", "duplicate-key", 2, 13),
        ("a: !!int x\n", "yaml-tag", 1, 4),
        ("a: !!binary eA==\n", "yaml-tag", 1, 4),
        ("a: !!map [1]\n", "yaml-tag", 1, 4),
        ("a: [!reset 1]\n", "yaml-tag", 1, 5),
        ("!override {a: 1}\n", "yaml-tag", 1, 1),
        ("!reset a: 1\n", "key-not-text", 1, 1),
        ("a: !!python/object:os.system {}\n", "yaml-tag", 1, 4),
        ("a: ! 1\n", "yaml-tag", 1, 4),
        ("a: 1\n---\nb: 2\n", "not-yaml", 2, 1),
        ("a: [1\nb: 2\n", "not-yaml", 2, 2),
        ("a: *b\n", "yaml-alias", 1, 4),
        ("a: &a [*a]\n", "yaml-alias", 1, 8),
        ("1: a\n", "key-not-text", 1, 1),
        ("? [a]\n: b\n", "key-not-text", 1, 3),
        ("a: {<<: 1}\n", "yaml-merge", 1, 5),
        ("a: {<<: []}\n", "yaml-merge", 1, 5),
        ('a: "\\0"\n', "bad-character", 1, 4),
        ('a: "\\ue0ca"\n', "bad-character", 1, 4),
        ("a: \ud800\n", "not-yaml", 1, 1),
        ("a: \x01\n", "not-yaml", 1, 1),
    ],
)
def test_what_is_not_read_is_refused_with_its_place(text: str, code: str, line: int, column: int) -> None:
    finding = _refused(text)

    assert (finding.code, finding.line, finding.column, finding.severity) == (code, line, column, "error")
    assert finding.remedy


def test_yamls_own_tags_say_what_a_value_is() -> None:
    text = "a: !!str 017\nb: !!int 017\nc: !!float 1\nd: !!bool true\ne: !!null ''\nf: !!map {x: !!seq [1]}\n"

    assert _values(read_yaml(text, "f.yml")) == {"a": "017", "b": 15, "c": 1, "d": True, "e": None, "f": {"x": [1]}}


def test_marks_stay_with_their_keys_and_leave_the_values_as_they_are() -> None:
    document = read_document("a: !override 1\nb: !reset\nc: !override '1'\nd: !override {x: 1}\n", "f.yml")

    assert isinstance(document.root, Table)
    assert [(entry.mark, _values(entry.value)) for entry in document.root.entries] == [
        ("override", 1),
        ("reset", None),
        ("override", "1"),
        ("override", {"x": 1}),
    ]
    assert (document.marked, read_document("a: 1", "f.yml").marked) == (True, False)


def test_a_billion_laughs_are_refused_before_they_grow() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))

    assert _refused(text).code in ("too-large", "too-many-aliases")
    assert _refused(text, Limits(max_aliases=10**6)).code == "too-large"


def test_depth_counts_through_aliases() -> None:
    text = "a: &a [[[[[x]]]]]\nb: [[[*a]]]\n"

    assert _refused(text, Limits(max_depth=8)).code == "too-deep"
    assert read_yaml(text, "f.yml", Limits(max_depth=10))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 5000, "too-deep"),
        ("? " * 5000, "key-not-text"),
        ("- " * 5000, "too-deep"),
        ("{a: " * 5000, "too-deep"),
        ("a: " + "x" * 300_000, "too-large"),
        ("- 1\n" * 30_000, "too-large"),
        ("a: &a 1\nb: [" + "*a," * 300 + "]", "too-many-aliases"),
    ],
)
def test_what_is_over_a_bound_is_refused(text: str, code: str) -> None:
    assert _refused(text).code == code


@given(st.text(max_size=200) | st.text(alphabet="{}[]&*<>:!|- \n\t'\"#?a1", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ComposeRefused):
        read_yaml(text, "f.yml")
